/**
 * A router for many routes: a trie, built before the first request, that finds a route in the time it takes to read the path.
 *
 * @module
 */

import type { Awaitable } from '../http/awaitable.ts';
import { badOption, kindOf } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import type { RouteError, RouteParams } from './routes/params.ts';
import { badRoute, type ParamSegment, type ParamValue, parseRoute, readParam } from './routes/pattern.ts';
import { placesOf } from './routes/places.ts';

/** The routes of each router, for `listRoutes`. */
const TABLES = new WeakMap<object, object>();

/** A route of a router. */
export interface ListedRoute {
  /** `ANY` for all. */
  readonly method: string;
  /** The pattern, as in `/users/{id:int}`. */
  readonly path: string;
  /** Path of the file in which the handler begins; undefined where it cannot be known. */
  readonly file: string | undefined;
  /** Line of the file, from 1 on. */
  readonly line: number | undefined;
}

type RouteHandler = (params: Readonly<Record<string, ParamValue>>, request: Request) => Awaitable<Response>;

/** A route at the end of its path. */
interface Leaf {
  /** `ANY` for all. */
  readonly method: string;
  readonly path: string;
  /** Names of the parameters, in the order of the path. */
  readonly names: readonly string[];
  readonly handler: RouteHandler;
  /** Another method of the same path. */
  readonly next: Leaf | undefined;
}

/** Literal segments. The first is kept apart: many nodes have only one, and comparing is faster than hashing. */
interface Literals {
  readonly text: string;
  readonly node: Node;
  others: Map<string, Node> | undefined;
}

/**
 * What may follow a segment. Most nodes need one of the four and hold nothing else, so that 10,000 routes fit into the processor's cache.
 */
interface Node {
  literals: Literals | undefined;
  /** Most specific first: text around a parameter, then a type, then any segment. */
  params: { readonly segment: ParamSegment; readonly node: Node }[] | undefined;
  leaf: Leaf | undefined;
  restLeaf: Leaf | undefined;
}

/**
 * Creates a function that answers by route: once, outside the handler.
 *
 * The most specific route wins, whatever the order: at each segment literal text, then text around a parameter, then a typed parameter,
 * then a plain one, then `{...rest}`. A known path with another method is answered 405 with Allow; OPTIONS is answered with Allow unless a
 * route handles it; HEAD goes to GET.
 *
 * @param routes Handlers by route; each receives the parameters and the request. May be an instance of a class whose methods are named
 *   after routes.
 * @returns A function that answers a request, or returns `undefined` when no route has its path.
 * @throws TypeError (code `bad-route`) for a malformed route, or two that match the same requests; (code `bad-option`) for a list of routes.
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
  if (typeof routes !== 'object' || routes === null || Array.isArray(routes)) {
    throw badOption('Cannot make a router', `the routes are ${Array.isArray(routes) ? 'a list' : kindOf(routes)}, not an object`);
  }
  const root = newNode();
  for (const route of routeNames(routes)) {
    const handler: unknown = (routes as Readonly<Record<string, unknown>>)[route];
    if (typeof handler !== 'function') throw badRoute(route, 'its handler is not a function');
    addRoute(root, route, handler as RouteHandler);
  }
  sortParams(root);
  const answerByRoute = (request: Request): Awaitable<Response> | undefined => answer(root, routes, request);
  TABLES.set(answerByRoute, routes);
  return answerByRoute;
}

/**
 * Lists the routes of a router, in the order they were written: for a test, a tool, or a page that only you may see.
 *
 * File and line are those of the handler, as a stack trace would have them; a handler that another function has made stands where that makes
 * it. To find them takes about 100 ms, during which nothing else runs. Nothing is noted beforehand: a router that is not listed pays nothing.
 *
 * @param routes What `router` returned.
 * @returns One for each method of a route: `GET|POST /a` is two.
 * @throws TypeError (code `bad-option`) for any other function.
 * @example
 * console.table(listRoutes(routes));
 */
export function listRoutes(routes: (request: Request) => Awaitable<Response> | undefined): readonly ListedRoute[] {
  const table = TABLES.get(routes) as Readonly<Record<string, unknown>> | undefined;
  if (table === undefined) throw badOption('Cannot list routes', 'this is not what router returned');
  const names = routeNames(table);
  const places = placesOf(names.map((route) => table[route]));
  return names.flatMap((route, at) => {
    const { written, path } = parseRoute(route);
    return written.map((method) => ({ method, path, file: places[at]?.file, line: places[at]?.line }));
  });
}

/** Every key of a plain object. Of an instance also its class's methods, but only those that look like a route. */
function routeNames(routes: object): string[] {
  const prototype: unknown = Object.getPrototypeOf(routes);
  if (prototype === Object.prototype || prototype === null) return Object.keys(routes);
  const names = new Set<string>();
  for (let owner = routes; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object) {
    for (const name of Object.getOwnPropertyNames(owner)) if (name.includes(' ')) names.add(name);
  }
  return [...names];
}

/** Answers a request. @param routes The `this` of the handlers. */
function answer(root: Node, routes: object, request: Request): Awaitable<Response> | undefined {
  const { path, method } = request;
  if (path === '*') return undefined; // RFC 9112 §3.2.4: the server as a whole, not a path
  const values: ParamValue[] = [];
  const leaf = find(root, path, 0, method, values, undefined);
  if (leaf) {
    const params = Object.create(null) as Record<string, ParamValue>;
    for (let i = 0; i < values.length; i++) params[leaf.names[i] as string] = values[i] as ParamValue; // as many values as names
    request.matched(leaf.path);
    return leaf.handler.call(routes, params, request);
  }
  const allowed = new Set<string>();
  find(root, path, 0, method, values, allowed);
  if (allowed.size === 0) return undefined;
  const allow = [...allowed.add('OPTIONS')].toSorted().join(', ');
  if (method === 'OPTIONS') return Response.empty(204).withHeader('Allow', allow); // RFC 9110 §9.3.7
  const error = new HttpError(405, undefined, { code: 'method-not-allowed', headers: { Allow: allow } }); // §15.5.6
  return Response.fromError(error, request); // returned, not thrown, so that code that finishes responses sees it too
}

/**
 * Finds the leaf for a path and a method: depth first, most specific first. Only one path leads to each node, so each is visited at most
 * once.
 *
 * @param at At the slash before the next segment, or at the end of the path.
 * @param allowed Collects the methods of leaves that match the path but not the method.
 */
function find(
  node: Node,
  path: string,
  at: number,
  method: string,
  values: ParamValue[],
  allowed: Set<string> | undefined,
): Leaf | undefined {
  if (at >= path.length) return leafOf(node.leaf, method, allowed);
  const next = path.indexOf('/', at + 1);
  const end = next === -1 ? path.length : next;
  if (node.literals !== undefined || node.params !== undefined) {
    const leaf = findBelow(node, path, path.slice(at + 1, end), end, method, values, allowed);
    if (leaf) return leaf;
  }
  const rest = leafOf(node.restLeaf, method, allowed);
  if (rest) values.push(path.slice(at + 1));
  return rest;
}

/** Continues with the segment `text`, which ends at `end`. */
function findBelow(
  { literals, params }: Node,
  path: string,
  text: string,
  end: number,
  method: string,
  values: ParamValue[],
  allowed: Set<string> | undefined,
): Leaf | undefined {
  const literal = literals?.text === text ? literals.node : literals?.others?.get(text);
  const leaf = literal && find(literal, path, end, method, values, allowed);
  if (leaf || params === undefined) return leaf;
  for (const { segment, node } of params) {
    const value = readParam(segment, text);
    if (value === undefined) continue;
    values.push(value);
    const found = find(node, path, end, method, values, allowed);
    if (found) return found;
    values.pop();
  }
  return undefined;
}

/** The leaf for a method: its own, for HEAD that of GET, or that of ANY. */
function leafOf(first: Leaf | undefined, method: string, allowed: Set<string> | undefined): Leaf | undefined {
  const found = leafFor(first, method) ?? (method === 'HEAD' ? leafFor(first, 'GET') : undefined) ?? leafFor(first, 'ANY');
  if (found || allowed === undefined) return found;
  for (let other = first; other; other = other.next) {
    allowed.add(other.method);
    if (other.method === 'GET') allowed.add('HEAD');
  }
  return undefined;
}

function leafFor(first: Leaf | undefined, method: string): Leaf | undefined {
  let leaf = first;
  while (leaf && leaf.method !== method) leaf = leaf.next;
  return leaf;
}

function addRoute(root: Node, route: string, handler: RouteHandler): void {
  const { written, path, segments, rest } = parseRoute(route);
  let node = root;
  const names: string[] = [];
  for (const segment of segments) {
    if (typeof segment !== 'string') names.push(segment.name);
    node = childOf(node, segment);
  }
  if (rest !== undefined) names.push(rest);
  for (const method of written) {
    const next = rest === undefined ? node.leaf : node.restLeaf;
    const known = leafFor(next, method);
    if (known) throw badRoute(route, `"${method} ${known.path}" takes the same requests: leave one of them out`);
    const leaf: Leaf = { method, path, names, handler, next };
    if (rest === undefined) node.leaf = leaf;
    else node.restLeaf = leaf;
  }
}

function childOf(node: Node, segment: string | ParamSegment): Node {
  if (typeof segment === 'string') return literalOf(node, segment);
  const { kind, prefix, suffix } = segment;
  node.params ??= [];
  const known = node.params.find(({ segment: other }) => other.kind === kind && other.prefix === prefix && other.suffix === suffix);
  if (known) return known.node;
  const child = newNode();
  node.params.push({ segment, node: child });
  return child;
}

function literalOf(node: Node, text: string): Node {
  node.literals ??= { text, node: newNode(), others: undefined };
  const { literals } = node;
  if (literals.text === text) return literals.node;
  literals.others ??= new Map();
  const child = literals.others.get(text) ?? newNode();
  literals.others.set(text, child);
  return child;
}

/**
 * Sorts parameters, most specific first. Of two with text around the parameter, the one with more of it comes first, then the one with more
 * of it in front: two that are still equal match no common segment, so the order in which routes were written never decides.
 */
function sortParams(node: Node): void {
  node.params?.sort((a, b) => weightOf(b.segment) - weightOf(a.segment) || b.segment.prefix.length - a.segment.prefix.length);
  if (node.literals) sortParams(node.literals.node);
  for (const child of node.literals?.others?.values() ?? []) sortParams(child);
  for (const { node: child } of node.params ?? []) sortParams(child);
}

function weightOf({ prefix, suffix, kind }: ParamSegment): number {
  return (prefix.length + suffix.length) * 10 + KIND_WEIGHTS[kind];
}

/** The fewer strings a kind matches, the more specific it is. */
const KIND_WEIGHTS: Readonly<Record<ParamSegment['kind'], number>> = { uuid: 5, bool: 4, uint: 3, int: 2, float: 1, string: 0 };

function newNode(): Node {
  return { literals: undefined, params: undefined, leaf: undefined, restLeaf: undefined };
}
