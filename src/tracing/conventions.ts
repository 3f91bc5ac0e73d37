/**
 * What OpenTelemetry's semantic conventions for HTTP say about a request, and how they spell it.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * @module
 */
import { type Attributes, createContextKey } from '@opentelemetry/api';
import type { Request } from '../http/request.ts';

/** The methods that have a name of their own in traces: RFC 9110, PATCH (RFC 5789) and QUERY (RFC 10008). Any other is `_OTHER`. */
export const KNOWN_METHODS: readonly string[] = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'];

/** Parameters of a query that carry a signature or a key: their values are not written down. */
export const SECRET_PARAMETERS: readonly string[] = [
  'AWSAccessKeyId',
  'Signature',
  'sig',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Goog-Signature',
];

/** Seconds: the boundaries that the conventions advise for durations of requests. */
export const DURATIONS: number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Under which instrumentations of the SDK leave, and look for, the server span of a request: those of Express, Koa and others write the route there. The
 * key is that of `@opentelemetry/core`.
 */
export const RPC_METADATA: symbol = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

/** What lies there. */
export interface RpcMetadata {
  readonly type: 'http';
  readonly span: unknown;
  route?: string;
}

/** What of a request is written down, and what is left out. */
export interface Spelling {
  readonly methods: ReadonlySet<string>;
  readonly secrets: readonly string[];
  /** Fields in lower case. */
  readonly requestFields: readonly string[];
  readonly responseFields: readonly string[];
}

/** A method as traces have it: one of a few. */
export function methodOf(method: string, { methods }: Spelling): string {
  return methods.has(method) ? method : '_OTHER';
}

/** The name of a span: of few values, so never the path. */
export function spanName(method: string, route: string | undefined): string {
  const verb = method === '_OTHER' ? 'HTTP' : method;
  return route === undefined ? verb : `${verb} ${route}`;
}

/** What samplers may look at: the attributes that are there before the handler is called. Those of most requests are made at once. */
export function attributesOf(request: Request, method: string, spelling: Spelling): Attributes {
  const { host, secure, remoteAddress, rawQuery } = request;
  const agent = request.header('user-agent');
  const server = host === undefined || host === '' ? undefined : serverNamed(host, secure);
  const scheme = secure ? 'https' : 'http';
  const path = pathOf(request.target);
  const attributes: Attributes =
    server && remoteAddress !== undefined && agent !== undefined
      ? {
          'http.request.method': method,
          'url.scheme': scheme,
          'url.path': path,
          'client.address': remoteAddress,
          'user_agent.original': agent,
          'server.address': server.address,
          'server.port': server.port,
        }
      : {
          'http.request.method': method,
          'url.scheme': scheme,
          'url.path': path,
          ...(remoteAddress !== undefined && { 'client.address': remoteAddress }),
          ...(agent !== undefined && { 'user_agent.original': agent }),
          ...(server && { 'server.address': server.address, 'server.port': server.port }),
        };
  if (method === '_OTHER') attributes['http.request.method_original'] = request.method;
  if (rawQuery !== '') attributes['url.query'] = withoutSecrets(rawQuery, spelling.secrets);
  for (const name of spelling.requestFields) {
    const values = request.headerAll(name);
    if (values.length > 0) attributes[`http.request.header.${name}`] = values;
  }
  return attributes;
}

/** The path as it was sent: what the handler sees is decoded. */
function pathOf(target: string): string {
  if (target.charCodeAt(0) !== 0x2f /* / */) return target === '*' ? target : pathOf(target.replace(/^[^:/]*:\/\/[^/?]*/, '') || '/');
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/** A query with the values of some parameters taken out; their names are compared as they are, case and all. */
export function withoutSecrets(query: string, names: readonly string[]): string {
  if (!names.some((name) => query.includes(`${name}=`))) return query;
  const pairs = query.split('&').map((pair) => {
    const name = pair.slice(0, pair.indexOf('=')); // of `a` without a value it is cut short, and `=` is not there
    return pair.startsWith(`${name}=`) && names.includes(name) ? `${name}=REDACTED` : pair;
  });
  return pairs.join('&');
}

/** A server, as traces have it. */
interface ServerName {
  readonly address: string;
  readonly port: number;
}

/** The server as the client named it, and the port; without one, that of the scheme. */
function serverNamed(host: string, secure: boolean): ServerName {
  if (host !== named.host || secure !== named.secure) named = { host, secure, name: parted(host, secure) };
  return named.name;
}

/** The server that was named last: nearly every request names the same. */
let named: { readonly host: string; readonly secure: boolean; readonly name: ServerName } = {
  host: '',
  secure: false,
  name: { address: '', port: 80 },
};

function parted(host: string, secure: boolean): ServerName {
  const colon = host.lastIndexOf(':');
  const hasPort = colon > host.lastIndexOf(']'); // the colons of an IPv6 address stand in brackets
  const port = hasPort ? Number(host.slice(colon + 1)) : Number.NaN;
  const address = (hasPort ? host.slice(0, colon) : host).replace(/^\[(.*)\]$/, '$1');
  return { address, port: port > 0 ? port : secure ? 443 : 80 };
}

/** The version as the conventions write it: HTTP/2 has no minor one. */
export function versionOf({ httpVersion }: Request): string {
  return httpVersion === '2.0' ? '2' : httpVersion;
}

/** What kind of error something is: few values, so never the message. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  return error.name === 'Error' ? error.constructor.name || 'Error' : error.name;
}
