/**
 * The linear form of routing: one `if` for each route, read from top to bottom.
 *
 * @module
 */
import type { Request } from '../http/request.ts';
import type { Checked, RouteParams } from './routes/params.ts';
import { type ParamValue, parseRoute, type RoutePattern, readParam } from './routes/pattern.ts';

/** Patterns cached. They should be constants; a program that makes them up as it goes must not fill the memory. */
const MAX_KEPT = 10_000;

const kept = new Map<string, RoutePattern>();
/** The result of a route without parameters. */
const NO_PARAMS: Readonly<Record<string, never>> = Object.freeze(Object.create(null) as Record<string, never>);

/**
 * Checks whether a request is for a route.
 *
 * `{x}` matches one segment that is not empty; `{x:int|uint|float|bool|uuid}` matches and converts; `{...x}` matches the rest; a parameter
 * may have text around it (`/v{n:uint}/{id}.json`). `GET|POST /a` and `ANY /a` name several methods; GET matches HEAD too. The final slash
 * counts.
 *
 * @param request The request to look at.
 * @param route `METHOD /path`, a constant: each is compiled once.
 * @returns The parameters, or `undefined` when the request is for something else.
 * @throws TypeError (code `bad-route`) when the route is malformed.
 * @example
 * const user = match(request, 'GET /users/{id:int}');
 * if (user) return Response.json(find(user.id));
 */
export function match<const R extends string>(request: Request, route: Checked<R>): RouteParams<R> | undefined {
  const pattern = kept.get(route) ?? keep(route);
  const { methods, head, path: written } = pattern;
  if (!request.path.startsWith(head)) return undefined; // most routes of a chain end here: two look-ups, nothing allocated
  if (methods !== undefined && !methods.includes(request.method)) return undefined;
  const params = head === written ? (request.path === written ? NO_PARAMS : undefined) : paramsOf(pattern, request.path);
  if (params === undefined) return undefined;
  request.matched(written);
  return params as RouteParams<R>;
}

function keep(route: string): RoutePattern {
  const pattern = parseRoute(route);
  if (kept.size === MAX_KEPT) kept.clear();
  kept.set(route, pattern);
  return pattern;
}

/** Walks the path and the pattern side by side. */
function paramsOf({ segments, rest }: RoutePattern, path: string): Readonly<Record<string, ParamValue>> | undefined {
  let params: Record<string, ParamValue> | undefined;
  let at = 0; // at the slash before the segment
  for (const segment of segments) {
    if (at >= path.length) return undefined;
    const next = path.indexOf('/', at + 1);
    const end = next === -1 ? path.length : next;
    if (typeof segment === 'string') {
      if (end - at - 1 !== segment.length || !path.startsWith(segment, at + 1)) return undefined;
    } else {
      const value = readParam(segment, path.slice(at + 1, end));
      if (value === undefined) return undefined;
      params ??= Object.create(null) as Record<string, ParamValue>;
      params[segment.name] = value;
    }
    at = end;
  }
  if (rest === undefined) return at === path.length ? params : undefined;
  if (at >= path.length) return undefined; // '/static' is not '/static/'
  params ??= Object.create(null) as Record<string, ParamValue>;
  params[rest] = path.slice(at + 1);
  return params;
}
