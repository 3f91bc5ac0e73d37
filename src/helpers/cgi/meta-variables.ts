/**
 * The environment of a script: the request's meta-variables (RFC 3875 §4.1), and nothing of ours but PATH.
 *
 * @module
 */
import { join } from 'node:path/posix';
import { parseAuthorization } from '../../http/fields/authorization.ts';
import { withoutHopByHop } from '../../http/fields/hop-by-hop.ts';
import type { Request } from '../../http/request.ts';
import { encodePath } from '../../http/target.ts';
import { decodeUtf8 } from '../../http/utf8.ts';

/** An environment, as `spawn` takes it. */
export type Environment = Record<string, string | undefined>;

/**
 * Fields that do not become HTTP_*, besides those of the connection: those with a variable of their own, what holds credentials
 * (RFC 3875 §4.1.18), and Proxy, which would become the HTTP_PROXY that programs take for the proxy to use ("httpoxy").
 */
const KEPT_BACK: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'expect',
  'host',
  'proxy',
  'proxy-authorization',
]);

/**
 * Letters, digits and hyphens: with `_` allowed, `X_Y` could pass for `X-Y`, and other characters do not belong in the name of an
 * environment variable.
 */
const PLAIN_NAME = /^[A-Za-z0-9-]+$/;
/**
 * server-name (RFC 3875 §4.1.14), plus the underscore found in names of containers. A Host may hold more, and programs print it in pages.
 */
const SERVER_NAME = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;

/**
 * Builds the environment of the script that answers a request.
 *
 * @param own Variables that the handler adds; they override all others.
 * @param scriptName Where the script is mounted; undefined: at the prefix that was removed from the request.
 */
export function metaVariables(request: Request, own: Readonly<Record<string, string>>, scriptName: string | undefined): Environment {
  const place = placeOf(request, scriptName);
  return {
    PATH: process.env['PATH'],
    NODE_V8_COVERAGE: undefined, // Node adds its own to an environment that lacks it
    ...fieldVariables(request),
    ...serverVariables(request),
    ...contentVariables(request),
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: request.method,
    QUERY_STRING: asSent(request.rawQuery),
    REQUEST_URI: asSent(originForm(request.original)),
    ...place,
    PATH_TRANSLATED: translated(place['PATH_INFO'] ?? '', own['DOCUMENT_ROOT']),
    AUTH_TYPE: own['REMOTE_USER'] === undefined ? undefined : schemeOf(request),
    ...own,
  };
}

/** The address and the names of both ends. On a unix socket nobody has an address: the variables are set, and empty. */
function serverVariables(request: Request): Environment {
  const { remoteAddress = '', remotePort, peer } = request;
  const [, name, port] = SERVER_NAME.exec(request.host ?? '') ?? [];
  return {
    SERVER_SOFTWARE: 'filrouge',
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    SERVER_NAME: name ?? 'localhost',
    SERVER_PORT: port ?? String(peer.port ?? (request.secure ? 443 : 80)), // RFC 3875 §4.1.15
    REQUEST_SCHEME: request.secure ? 'https' : 'http',
    HTTPS: request.secure ? 'on' : undefined,
    REMOTE_ADDR: remoteAddress,
    REMOTE_HOST: remoteAddress, // RFC 3875 §4.1.9: the address, where the name would have to be looked up
    REMOTE_PORT: remotePort === undefined ? undefined : String(remotePort),
  };
}

/** RFC 3875 §4.1.2: the length is the real one, whatever the framing was. Only a body that is still coming, in chunks, has none. */
function contentVariables(request: Request): Environment {
  const { size } = request.body;
  const hasBody = size > 0 || request.header('content-length') !== undefined || request.header('transfer-encoding') !== undefined;
  return {
    CONTENT_LENGTH: hasBody && size >= 0 ? String(size) : undefined,
    CONTENT_TYPE: request.header('content-type') === undefined ? undefined : asSent(request.header('content-type') ?? ''),
  };
}

/** RFC 3875 §4.1.18. Lines of one field are joined; those of Cookie as cookies are. */
function fieldVariables(request: Request): Environment {
  const fields: Environment = Object.create(null) as Environment;
  for (const [name, value] of withoutHopByHop(request.headers)) {
    if (!PLAIN_NAME.test(name) || KEPT_BACK.has(name.toLowerCase())) continue;
    const variable = `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
    const before = fields[variable];
    const separator = variable === 'HTTP_COOKIE' ? '; ' : ', ';
    fields[variable] = before === undefined ? asSent(value) : before + separator + asSent(value);
  }
  if (request.host !== undefined) fields['HTTP_HOST'] = request.host; // the effective one (RFC 9112 §3.2.2)
  return fields;
}

/** SCRIPT_NAME and PATH_INFO: together the path, decoded (RFC 3875 §3.3, §4.1.5, §4.1.13). */
function placeOf(request: Request, scriptName: string | undefined): Environment {
  const { path } = request.original;
  const mount = scriptName ?? prefixOf(path, request.path);
  if (path === mount || path.startsWith(`${mount}/`)) return { SCRIPT_NAME: mount, PATH_INFO: path.slice(mount.length) };
  return { SCRIPT_NAME: mount, PATH_INFO: request.path }; // one script answers for paths outside its mount
}

/** The prefix that `withoutPrefix` has removed. */
function prefixOf(whole: string, rest: string): string {
  return whole.endsWith(rest) ? whole.slice(0, -rest.length) : whole;
}

/** PATH_TRANSLATED (RFC 3875 §4.1.6): undefined without a PATH_INFO, which cannot hold dot segments. */
function translated(pathInfo: string, root: string | undefined): string | undefined {
  return root === undefined || pathInfo === '' ? undefined : join(root, pathInfo);
}

/** AUTH_TYPE (RFC 3875 §4.1.1): the scheme by which the user was authenticated, once the handler has set one. */
function schemeOf(request: Request): string | undefined {
  const field = request.header('authorization');
  return parseAuthorization(field) === undefined ? undefined : field?.split(' ', 1)[0];
}

function originForm(request: Request): string {
  if (request.target.startsWith('/')) return request.target;
  return encodePath(request.path) + (request.rawQuery === '' ? '' : `?${request.rawQuery}`);
}

/** Restores the bytes that were sent: here each is one character, and an environment is written in UTF-8. */
function asSent(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text) || !/^[\x00-\xff]*$/.test(text)) return text;
  return decodeUtf8(Buffer.from(text, 'latin1')) ?? text;
}
