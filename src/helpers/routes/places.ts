/**
 * Where functions stand in the source.
 *
 * Only the inspector knows. It is loaded and asked when somebody wants to know, which takes about 100 ms: nothing is noted beforehand.
 *
 * @module
 */
import type { Runtime, Session } from 'node:inspector';
import { scriptPath } from '../../process/place/script-path.ts';

/** A line of a source file. */
export interface Place {
  /** A path; the URL where it is no file. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
}

/** Where the inspector finds the functions: it sees only what is global. Nobody else runs before it is taken away again. */
const HELD = Symbol.for('filrouge.places');

/**
 * Finds the lines where functions begin: of the source where a source map is in use, as in stack traces.
 *
 * @returns In the same order; undefined for one that is bound or built in, and for all of them in a runtime without an inspector.
 */
export function placesOf(functions: readonly unknown[]): readonly (Place | undefined)[] {
  const places: (Place | undefined)[] = functions.map(() => undefined);
  let session: Session | undefined;
  try {
    session = new (process.getBuiltinModule('node:inspector').Session)();
    session.connect();
    Reflect.set(globalThis, HELD, functions);
    locate(session, places);
  } catch {
    // Some runtimes have no inspector, and Node has none under --permission: then the places stay unknown.
  } finally {
    Reflect.deleteProperty(globalThis, HELD);
    session?.disconnect();
  }
  return places;
}

/** Asks a session. Each answer comes before `post` returns, since the session is with this thread. */
function locate(session: Session, places: (Place | undefined)[]): void {
  const urls = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.post('Debugger.enable');
  session.post('Runtime.evaluate', { expression: `globalThis[Symbol.for('filrouge.places')]` }, (_, held) => {
    for (const { name, value } of propertiesOf(session, held.result.objectId)?.result ?? []) {
      if (!/^\d+$/.test(name)) continue; // `length`
      const { internalProperties = [] } = propertiesOf(session, value?.objectId) ?? {};
      const location = internalProperties.find((property) => property.name === '[[FunctionLocation]]')?.value?.value as
        | { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number }
        | undefined; // lines and columns count from 0
      const url = location === undefined ? undefined : urls.get(location.scriptId);
      if (location && url) places[Number(name)] = placeIn(url, location.lineNumber, location.columnNumber);
    }
  });
}

function propertiesOf(session: Session, objectId: string | undefined): Runtime.GetPropertiesReturnType | undefined {
  let properties: Runtime.GetPropertiesReturnType | undefined;
  if (objectId === undefined) return undefined;
  session.post('Runtime.getProperties', { objectId, ownProperties: true }, (error, found) => {
    if (!error) properties = found;
  });
  return properties;
}

function placeIn(url: string, line: number, column: number): Place {
  const entry = process.getBuiltinModule('node:module').findSourceMap(url)?.findEntry(line, column);
  const isMapped = entry !== undefined && 'originalSource' in entry;
  return { file: pathOf(isMapped ? entry.originalSource : url), line: (isMapped ? entry.originalLine : line) + 1 };
}

function pathOf(url: string): string {
  return scriptPath(url) ?? url;
}
