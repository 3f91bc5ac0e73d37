/**
 * What is known of a request while it is traced. It is the context of its handler as well: one object, where the SDK would copy a map for each value.
 *
 * @module
 */
import { type Context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { RPC_METADATA, type RpcMetadata } from './conventions.ts';

/** Under which a context has its span. */
const SPAN: symbol = keyOfSpans();

/** A request that is being traced, in whose context its handler is called. */
export class Traced implements Context {
  /** As traces have it. */
  readonly method: string;
  /** Undefined when it is not to have one, or has that of somebody else. */
  readonly span: Span | undefined;
  readonly #parent: Context;
  readonly #takesRoute: boolean;
  #metadata: RpcMetadata | undefined = undefined;

  /** @param takesRoute Whether the route that an instrumentation leaves in the context is of use. */
  constructor(method: string, parent: Context, span: Span | undefined, takesRoute: boolean) {
    this.method = method;
    this.span = span;
    this.#parent = parent;
    this.#takesRoute = takesRoute;
  }

  /** The server span is that of an instrumentation of node:http, in whose server we are a guest: what lies in the context is its own. */
  get isGuest(): boolean {
    return this.span === undefined && this.#takesRoute;
  }

  /** What an instrumentation has left. */
  get metadata(): RpcMetadata | undefined {
    return this.isGuest ? (this.#parent.getValue(RPC_METADATA) as RpcMetadata | undefined) : this.#metadata;
  }

  getValue(key: symbol): unknown {
    if (this.span !== undefined) {
      if (key === SPAN) return this.span;
      if (key === RPC_METADATA && this.#takesRoute) return this.#keepMetadata();
    }
    return this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#asContext().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#asContext().deleteValue(key);
  }

  /** The same as a context of the API, which can be built upon. */
  #asContext(): Context {
    if (this.span === undefined) return this.#parent;
    const inside = trace.setSpan(this.#parent, this.span);
    return this.#takesRoute ? inside.setValue(RPC_METADATA, this.#keepMetadata()) : inside;
  }

  #keepMetadata(): RpcMetadata {
    this.#metadata ??= { type: 'http', span: this.span };
    return this.#metadata;
  }
}

/** Asked of the API, which does not say it: what it looks for in a context. */
function keyOfSpans(): symbol {
  let found: symbol | undefined;
  trace.getSpan({
    getValue(key) {
      found = key;
      return undefined;
    },
    setValue: () => ROOT_CONTEXT,
    deleteValue: () => ROOT_CONTEXT,
  });
  return found as symbol; // it looks for one thing
}
