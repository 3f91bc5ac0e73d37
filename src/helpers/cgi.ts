/**
 * CGI: a program in any language answers the request (RFC 3875).
 *
 * @module
 */

import { RequestBody } from '../http/body/request-body.ts';
import { badOption, checkFunction, checkNumber, checkOptions, checkSystemString, MAX_TIMER } from '../http/errors/bad-option.ts';
import { quoted } from '../http/escaped.ts';
import { FieldLines } from '../http/field-lines.ts';
import { whileAsked } from '../http/request/while-asked.ts';
import { withFields } from '../http/request/with-fields.ts';
import { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { isBodyless } from '../http/status.ts';
import { parseTarget } from '../http/target.ts';
import { decodeUtf8 } from '../http/utf8.ts';
import { type CallMessage, callChannel, fieldsWith, traceCall } from '../process/watching/call-channel.ts';
import { metaVariables } from './cgi/meta-variables.ts';
import { Script } from './cgi/script.ts';
import type { ScriptHead } from './cgi/script-head.ts';

/** Options of `cgi`. */
export interface CgiOptions {
  /** The arguments on the program's command line. Nothing from the request is ever put there. Default none. */
  args?: readonly string[] | undefined;
  /** Variables in addition to those of CGI, or overriding them. Of our own environment the program sees PATH and nothing else. */
  env?: Readonly<Record<string, string>> | undefined;
  /** The program's working directory. Default: ours. */
  cwd?: string | undefined;
  /**
   * The path at which the program is mounted, such as `/cgi-bin/hello`; what follows it is PATH_INFO.
   * Default: the prefix that `withoutPrefix` has removed, or none.
   */
  scriptName?: string | undefined;
  /**
   * How long the program may go without reading or writing, ms; 0: no limit. Waiting for the client does not count. Also how long it may go on
   * in all behind an answer without content (HEAD, 204, 205, 304, a local redirect), whatever it writes. Default 60,000.
   */
  timeout?: number | undefined;
  /**
   * Answers when the program sends nothing but `Location: /path`, a local redirect (RFC 3875 §6.2.2): usually your handler.
   * Default: the client is redirected there with 302.
   */
  localRedirect?: ((request: Request) => Response | Promise<Response>) | undefined;
}

interface CheckedOptions extends CgiOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: number;
}

/** Most local redirects in a row for one request. Browsers stop at twenty of theirs. */
const MAX_REDIRECTS = 10;
const SUBJECT = 'Cannot run CGI';
const KNOWN: ReadonlySet<string> = new Set(['args', 'env', 'cwd', 'scriptName', 'timeout', 'localRedirect']);

/** The number of local redirects that led to a request. */
const redirects = new WeakMap<Request, number>();

/**
 * Has a program answer the request by CGI: meta-variables in its environment, the body on its standard input, the response from its
 * standard output.
 *
 * No shell is started. The body goes in and the response comes out at the same time, both as fast as the other end reads them. The program
 * and everything it has started are ended when the client leaves or `timeout` has run out. What it writes to its standard error is printed
 * on ours.
 *
 * @param command The program: a path, or a name that is looked up in PATH.
 * @throws HttpError 502 (code `bad-script-output`) when the program sends no CGI response, 504 (`script-timeout`) when it sends none in
 *   time, 431 (`header-too-large`) when the header does not fit into an environment, 499 (`client-gone`) when the client has left; Error
 *   (`script-not-started`) when it cannot be started; TypeError or RangeError (`bad-option`) for wrong options. The response's body fails
 *   with `script-timeout` or `script-died` when the program does not finish it; the connection is then cut.
 * @example
 * startServer((request) => cgi(request, '/usr/lib/cgi-bin/hello', { timeout: 10_000 }));
 */
export function cgi(request: Request, command: string, options: CgiOptions = {}): Promise<Response> {
  if (!callChannel.hasSubscribers) return whileAsked(request, answerOf(request, command, options));
  const message: CallMessage = { kind: 'cgi', name: command, request: request.original, fields: [] };
  return whileAsked(
    request,
    traceCall(message, () => answerOf(request, command, options, fieldsWith(message))),
  );
}

/** @param fields What those who watch have added to those of the request. */
async function answerOf(
  request: Request,
  command: string,
  options: CgiOptions,
  fields: ReturnType<typeof fieldsWith> = [],
): Promise<Response> {
  const { args, env, cwd, scriptName, timeout, localRedirect } = checkedOptions(command, options);
  const environment = metaVariables(withFields(request, fields), env, scriptName);
  const script = await Script.start(request, { command, args, cwd, environment }, timeout);
  const head = await script.head();
  if (head.isLocationOnly && isLocal(head.location)) {
    script.drain();
    if (localRedirect) return localRedirect(redirected(request, head.location));
    return Response.redirect(decodeUtf8(Buffer.from(head.location, 'latin1')) ?? head.location, 302);
  }
  return responseOf(request, head, script);
}

/** Document and client redirect responses (RFC 3875 §6.2.1, §6.2.3, §6.2.4). */
function responseOf(request: Request, head: ScriptHead, script: Script): Response {
  const status = head.status ?? (head.location === undefined ? 200 : 302);
  const isEmpty = request.method === 'HEAD' || isBodyless(status); // RFC 3875 §4.3.3: whatever the script writes
  if (isEmpty) script.drain();
  const body = isEmpty ? [] : script;
  const bare = Response.stream('text/plain', body, head.size).withoutHeader('Content-Type').withStatus(status);
  return head.fields.reduce((response, [name, value]) => response.withAddedHeader(name, value), bare);
}

function isLocal(location: string | undefined): location is string {
  return location?.startsWith('/') === true && !location.startsWith('//'); // `//host/path` is another host
}

/** The request that a local redirect asks for: GET, without a body, of the same client (RFC 3875 §6.2.2). */
function redirected(request: Request, location: string): Request {
  const count = (redirects.get(request) ?? 0) + 1;
  if (count > MAX_REDIRECTS) throw badRedirect(`more than ${MAX_REDIRECTS} local redirects, the last one to`, location);
  const parts = parseTarget(location);
  if (!parts) throw badRedirect('a local redirect to a target without a safe meaning,', location);
  const headers = request.headers.filter(([name]) => !/^(?:content-.*|expect|host|transfer-encoding)$/i.test(name));
  const { host, peer, signal, httpVersion } = request;
  const lines = FieldLines.of(host === undefined ? headers : [...headers, ['Host', host]]);
  const head = { method: request.method === 'HEAD' ? 'HEAD' : 'GET', target: location, httpVersion, lines };
  const next = new Request(head, parts, { ...peer, carrier: undefined }, RequestBody.EMPTY);
  redirects.set(next, count);
  signal.addEventListener('abort', () => next.abort(signal.reason as Error), { once: true });
  request.onEnd(() => next.release());
  return next;
}

/** The script is at fault: the client learns only that, the log says why. */
function badRedirect(why: string, location: string): HttpError {
  console.error(`[cgi] Cannot answer: ${why} ${quoted(location.slice(0, 200))}`);
  return new HttpError(502, undefined, { code: 'bad-script-output' });
}

function checkedOptions(command: string, options: CgiOptions): CheckedOptions {
  checkSystemString(SUBJECT, 'command', command);
  checkOptions(SUBJECT, options, KNOWN);
  const { args = [], env = {}, cwd, scriptName, timeout = 60_000, localRedirect } = options;
  if (!Array.isArray(args)) throw badOption(SUBJECT, 'args is not a list');
  for (const [index, argument] of args.entries()) checkText(`args[${index}]`, argument);
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name)) throw badOption(SUBJECT, `${JSON.stringify(name)} in env is not a name`);
    checkText(`env.${name}`, value);
  }
  if (cwd !== undefined) checkText('cwd', cwd);
  if (scriptName !== undefined && !/^(?:\/[^\0]*[^\0/])?$/.test(scriptName)) {
    throw badOption(SUBJECT, `scriptName is ${JSON.stringify(scriptName)}, not a path that starts with a slash and does not end with one`);
  }
  checkNumber(SUBJECT, 'timeout', timeout, 0, MAX_TIMER, 'ms');
  if (localRedirect !== undefined) checkFunction(SUBJECT, 'localRedirect', localRedirect);
  return { ...options, args, env, timeout };
}

/** Checks a string that may be empty: an argument or a variable. */
function checkText(name: string, value: unknown): void {
  if (value === '') return;
  checkSystemString(SUBJECT, name, value);
}
