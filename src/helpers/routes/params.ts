/**
 * The types of routes: `'GET /users/{id:int}'` gives `{ id: number }`, and a malformed route does not compile.
 *
 * @module
 */

interface ParamTypes {
  string: string;
  int: number;
  uint: number;
  float: number;
  bool: boolean;
  uuid: string;
}

type Simplify<T> = { [K in keyof T]: T[K] };
type One<P extends string> = P extends `...${infer N}`
  ? { [k in N]: string }
  : P extends `${infer N}:${infer K}`
    ? { [k in N]: K extends keyof ParamTypes ? ParamTypes[K] : never }
    : { [k in P]: string };
type PathParams<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? One<P> & PathParams<Rest> : unknown;

/** The parameters of a route, by name. */
export type RouteParams<R extends string> = Simplify<PathParams<R extends `${string} ${infer P}` ? P : R>>;

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'ANY';
type BadKind<S extends string> = S extends `${string}{${infer P}}${infer Rest}`
  ? P extends `${string}:${infer K}`
    ? K extends keyof ParamTypes
      ? BadKind<Rest>
      : `unknown parameter type '${K}'`
    : BadKind<Rest>
  : never;
type BadSegment<P extends string> = P extends `${infer S}/${infer Rest}` ? Foreign<S> | BadSegment<Rest> : Foreign<P>;
/** What other routers write. A segment in braces is one of ours, whatever text is around it. */
type Foreign<S extends string> = S extends `${string}{${string}`
  ? never
  : S extends `:${infer N}`
    ? `write '{${N}}' for ':${N}'`
    : S extends `*${infer N}`
      ? `write '{...rest}' for '*${N}'`
      : never;
type BadMethod<M extends string> = M extends `${infer A}|${infer B}`
  ? A extends Method
    ? BadMethod<B>
    : `unknown method '${A}'`
  : M extends Method
    ? never
    : `unknown method '${M}'`;

/** Why a route is malformed; `never` when it is not. */
export type RouteError<R extends string> = R extends `${infer M} /${infer P}`
  ? BadMethod<M> | BadKind<P> | BadSegment<P>
  : R extends '*' | `${string} *`
    ? `for every path write 'ANY /{...rest}'`
    : `a route is 'METHOD /path'`;

/** A route checked by the compiler; for a malformed one, the type is the reason. */
export type Checked<R extends string> = [RouteError<R>] extends [never] ? R : RouteError<R>;
