/**
 * Many routes at once: a trie, made before the first request, that finds a route in the time it takes to read the path.
 *
 * @module
 */
import { HttpError } from '../http/http-error.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import type { RouteError, RouteParams } from '../http/route-params.ts';
import { badRoute, type ParamSegment, type ParamValue, parseRoute, readParam } from '../http/route-pattern.ts';

type Awaitable<T> = T | Promise<T>;
type RouteHandler = (params: Readonly<Record<string, ParamValue>>, request: Request) => Awaitable<Response>;

/** A route at the end of its path. */
interface Leaf {
  readonly path: string;
  /** Names of the parameters, in the order of the path. */
  readonly names: readonly string[];
  readonly handler: RouteHandler;
}

/** What may follow a segment. */
interface Node {
  readonly literals: Map<string, Node>;
  /** Most specific first: text around a parameter, then a type, then any segment. */
  readonly params: { readonly segment: ParamSegment; readonly node: Node }[];
  /** By method; `ANY` for all. */
  readonly leaves: Map<string, Leaf>;
  readonly restLeaves: Map<string, Leaf>;
}

/**
 * Makes an answering function of many routes, outside the handler.
 *
 * The most specific route wins, whatever the order: at each segment literal text, then text around a parameter, then a typed parameter, then
 * a plain one, then `{...rest}`. A known path with another method is answered 405 with Allow; OPTIONS is answered with Allow unless a route
 * does it; HEAD goes to GET.
 *
 * @param routes Handlers by route; each gets the parameters and the request.
 * @returns Answers a request, or `undefined` when no route has its path.
 * @throws TypeError (code `bad-route`) for a malformed route, or two that are the same.
 * @example
 * const routes = router({
 *   'GET /users': () => Response.json(users.all()),
 *   'GET /users/{id:int}': ({ id }) => Response.json(users.find(id)),
 * });
 * startServer((request) => routes(request) ?? Response.empty(404));
 */
export function router<K extends string>(
  routes: { readonly [R in K]: (params: RouteParams<R>, request: Request) => Awaitable<Response> } & {
    readonly [R in K]: [RouteError<R>] extends [never] ? unknown : RouteError<R>;
  },
): (request: Request) => Awaitable<Response> | undefined {
  const root = newNode();
  for (const [route, handler] of Object.entries(routes)) {
    if (typeof handler !== 'function') throw badRoute(route, 'its handler is not a function');
    addRoute(root, route, (params, request) => (handler as RouteHandler).call(routes, params, request));
  }
  sortParams(root);
  return (request) => answer(root, request);
}

function answer(root: Node, request: Request): Awaitable<Response> | undefined {
  const allowed = new Set<string>();
  const values: ParamValue[] = [];
  const leaf = find(root, request.path, 0, request.method, values, allowed);
  if (leaf) {
    const params = Object.create(null) as Record<string, ParamValue>;
    for (const [i, name] of leaf.names.entries()) params[name] = values[i] as ParamValue; // as many values as names
    request.matched(leaf.path);
    return leaf.handler(params, request);
  }
  if (allowed.size === 0) return undefined;
  const allow = [...allowed, 'OPTIONS'].toSorted().join(', ');
  if (request.method === 'OPTIONS') return Response.empty(204).withHeader('Allow', allow); // RFC 9110 §9.3.7
  throw new HttpError(405, undefined, { code: 'method-not-allowed', headers: { Allow: allow } }); // §15.5.6
}

/**
 * Finds the leaf for a path and a method: depth first, most specific first. A node of a trie has one way to it, so each is seen at most once.
 *
 * @param at At the slash before the next segment, or at the end of the path.
 * @param allowed Gets the methods of leaves that have the path but not the method.
 */
function find(node: Node, path: string, at: number, method: string, values: ParamValue[], allowed: Set<string>): Leaf | undefined {
  if (at >= path.length) return leafOf(node.leaves, method, allowed);
  const next = path.indexOf('/', at + 1);
  const end = next === -1 ? path.length : next;
  const text = path.slice(at + 1, end);
  const literal = node.literals.get(text);
  if (literal) {
    const leaf = find(literal, path, end, method, values, allowed);
    if (leaf) return leaf;
  }
  for (const { segment, node: child } of node.params) {
    const value = readParam(segment, text);
    if (value === undefined) continue;
    values.push(value);
    const leaf = find(child, path, end, method, values, allowed);
    if (leaf) return leaf;
    values.pop();
  }
  const rest = leafOf(node.restLeaves, method, allowed);
  if (rest) values.push(path.slice(at + 1));
  return rest;
}

function leafOf(leaves: Map<string, Leaf>, method: string, allowed: Set<string>): Leaf | undefined {
  if (leaves.size === 0) return undefined;
  const leaf = leaves.get(method) ?? (method === 'HEAD' ? leaves.get('GET') : undefined) ?? leaves.get('ANY');
  if (leaf) return leaf;
  for (const name of leaves.keys()) {
    allowed.add(name);
    if (name === 'GET') allowed.add('HEAD');
  }
  return undefined;
}

function addRoute(root: Node, route: string, handler: RouteHandler): void {
  const { methods, path, segments, rest } = parseRoute(route);
  let node = root;
  const names: string[] = [];
  for (const segment of segments) {
    if (typeof segment !== 'string') names.push(segment.name);
    node = childOf(node, segment);
  }
  if (rest !== undefined) names.push(rest);
  const leaves = rest === undefined ? node.leaves : node.restLeaves;
  const written = route.slice(0, route.indexOf(' ')).split('|');
  for (const method of methods === undefined ? ['ANY'] : written) {
    if (leaves.has(method)) throw badRoute(route, `"${method} ${leaves.get(method)?.path}" takes the same requests`);
    leaves.set(method, { path, names, handler });
  }
}

function childOf(node: Node, segment: string | ParamSegment): Node {
  if (typeof segment === 'string') {
    const child = node.literals.get(segment) ?? newNode();
    node.literals.set(segment, child);
    return child;
  }
  const { kind, prefix, suffix } = segment;
  const known = node.params.find(({ segment: other }) => other.kind === kind && other.prefix === prefix && other.suffix === suffix);
  if (known) return known.node;
  const child = newNode();
  node.params.push({ segment, node: child });
  return child;
}

/** Most specific first. Of two with text around the parameter, the one with more of it. */
function sortParams(node: Node): void {
  node.params.sort((a, b) => weightOf(b.segment) - weightOf(a.segment));
  for (const child of node.literals.values()) sortParams(child);
  for (const { node: child } of node.params) sortParams(child);
}

function weightOf({ prefix, suffix, kind }: ParamSegment): number {
  return (prefix.length + suffix.length) * 10 + KIND_WEIGHTS[kind];
}

/** What fewer texts fit is more specific. */
const KIND_WEIGHTS: Readonly<Record<ParamSegment['kind'], number>> = { uuid: 5, bool: 4, uint: 3, int: 2, float: 1, string: 0 };

function newNode(): Node {
  return { literals: new Map(), params: [], leaves: new Map(), restLeaves: new Map() };
}
