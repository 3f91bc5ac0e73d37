/**
 * What is said about an error to the programmer: the error and what led to it, the line of code, and the request.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { textOf } from '../print-error.ts';
import { type CodeLine, codeAround, type Frame, framesOf } from './frames.ts';

/** An error of the chain that `cause` makes. */
export interface ExplainedError {
  /** `TypeError: rows is not iterable`. */
  readonly title: string;
  readonly frames: readonly Frame[];
}

/** All that is told. */
export interface Explanation {
  /** The error, and behind it what caused each. */
  readonly errors: readonly [ExplainedError, ...ExplainedError[]];
  /** The program's own innermost frame with the lines around it. */
  readonly code: { readonly frame: Frame; readonly line: number; readonly lines: readonly CodeLine[] } | undefined;
  readonly method: string;
  readonly target: string;
  /** The pattern that matched last. */
  readonly route: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Causes that are followed: a chain may be a ring. */
const MOST_CAUSES = 5;
/** Names of fields and of parameters whose values are nobody's business, not even on a screen that is shared. */
const SECRET = /auth|cookie|token|secret|key|pass|session|csrf|xsrf|sig|credential|jwt|^code$/i;
const MASK = '••••••';

/** Gathers what is told of an error. */
export function explanationOf(request: Request, thrown: unknown): Explanation {
  const errors: ExplainedError[] = [];
  for (let error = thrown; errors.length === 0 || (error !== undefined && errors.length <= MOST_CAUSES); ) {
    errors.push(explained(error));
    error = error instanceof Error ? error.cause : undefined;
  }
  return {
    errors: errors as [ExplainedError, ...ExplainedError[]], // the loop has made one
    code: codeOf(errors),
    method: request.method,
    target: withoutSecrets(request.target),
    route: request.route,
    headers: request.headers.map(([name, value]) => [name, SECRET.test(name) ? MASK : withoutSecrets(value)]),
  };
}

function explained(error: unknown): ExplainedError {
  if (!(error instanceof Error)) return { title: textOf(error), frames: [] };
  const { name, message } = error;
  return { title: message === '' ? name : `${name}: ${message}`, frames: framesOf(error) };
}

/** The line to look at first: the program's own innermost one, of the error itself or else of what caused it. */
function codeOf(errors: readonly ExplainedError[]): Explanation['code'] {
  for (const { frames } of errors) {
    const frame = frames.find(({ isOwn }) => isOwn);
    const lines = frame?.place && codeAround(frame.place);
    if (frame?.place && lines) return { frame, line: frame.place.line, lines };
  }
  return undefined;
}

/** A target, or a field that holds one such as Referer: the values of parameters that are named like secrets are masked. */
function withoutSecrets(text: string): string {
  return text.replace(/[?&][^&#]*/g, (parameter) => {
    const equals = parameter.indexOf('=');
    return equals !== -1 && SECRET.test(parameter.slice(1, equals)) ? `${parameter.slice(0, equals)}=${MASK}` : parameter;
  });
}
