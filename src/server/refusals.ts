/**
 * What the engine refuses before any handler sees it: requests that are not HTTP or exceed a limit, connections for which there is no room,
 * handshakes that fail. Each is counted, gets a line in the log (a bounded number of them), and where there is still a client to answer
 * `onRefused` may give the page.
 *
 * @module
 */
import { answerKnown } from '../exchange/channels.ts';
import { printError } from '../exchange/print-error.ts';
import { type Answering, refusalFor, reportError, responseTo } from '../exchange/respond.ts';
import { badOption } from '../http/errors/bad-option.ts';
import { ProtocolError } from '../http/errors/protocol-error.ts';
import { escaped, quoted } from '../http/escaped.ts';
import { FieldLines } from '../http/field-lines.ts';
import type { PartialHead } from '../http/request/head-rules.ts';
import { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { parseTarget } from '../http/target.ts';
import { areRequestsWatched } from '../process/watching/request-channels.ts';
import type { IncomingBody } from './body/incoming-body.ts';
import { type EventFields, SparseLog } from './operator-log.ts';
import type { Recorder } from './recording/recorder.ts';

/** What is known of a request that the engine refuses. Of a head that cannot be read, that is what came before the fault. */
export interface RefusedHead {
  /** Undefined when the request line cannot be read so far, or none has been read: `maxConnections`. */
  readonly method: string | undefined;
  /** As sent: it may hold anything. */
  readonly target: string | undefined;
  /** As in `Request.path`; undefined when the target has none. */
  readonly path: string | undefined;
  /** In the order and case in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first value of a field; any case of `name` will do. */
  header(name: string): string | undefined;
  /** The client's address. When the head cannot be read it is that of the peer, which may be a proxy. Undefined on a unix socket. */
  readonly remoteAddress: string | undefined;
}

/** May answer instead of the engine. */
export type OnRefused = (status: number, head: RefusedHead, reason: HttpError) => Response | void;

/** Most bytes of a page that `onRefused` may give: it is sent to clients that cost much already. */
const MAX_PAGE = 64 * 1024;
/** Most characters of a path in a line of the log. */
const MAX_SHOWN = 200;
/** RFC 9110 §15.5.6: a 405 names what is allowed. TRACE is the only method that is refused so. */
const ALLOWED = { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' };
/** What a client that finds no room does best. */
const LATER = { 'Retry-After': '1' };
/** What a body is refused with when its length is announced: too large, no room for it now, no room at all. */
const OF_BODIES: ReadonlySet<number> = new Set([413, 503, 507]);
const NOTHING_KNOWN: PartialHead = { method: undefined, target: undefined, lines: FieldLines.of([]) };

/** The refusals of one process. */
export class Refusals {
  /** How many there were, as in `ServerStatus`. */
  readonly counts: Record<string, number> = {};
  readonly #onRefused: OnRefused | undefined;
  readonly #log: SparseLog = new SparseLog();

  readonly #recorder: Recorder | undefined;

  constructor(onRefused: OnRefused | undefined, recorder?: Recorder) {
    this.#onRefused = onRefused;
    this.#recorder = recorder;
  }

  /**
   * The answer to a request that never reached a handler.
   *
   * @param request As far as it is known: for `onError`.
   * @param error A ProtocolError; anything else was thrown by a function among the options, and is ours.
   * @param body What has come of its body, which is released.
   */
  answer(service: Answering, request: Request, known: PartialHead, error: unknown, body?: IncomingBody): Response {
    this.#record(request, error, body);
    body?.close();
    const response = this.#answer(service, request, known, error);
    if (areRequestsWatched() && known.method !== undefined) answerKnown(request, response, true);
    return response;
  }

  #answer(service: Answering, request: Request, known: PartialHead, error: unknown): Response {
    if (!(error instanceof ProtocolError)) return responseTo(service, request, error);
    if (error.cause !== undefined) reportError(service, request, error);
    const reason = refusalOf(error);
    const head = new KnownHead(known, request.remoteAddress);
    this.#note(reason, head);
    return this.#page(reason, head) ?? refusalFor(service, request, reason);
  }

  /** Counts a connection for which there is no room. @returns The answer, if it is to have one. */
  turnAway(service: Answering, remoteAddress: string | undefined, isAnswered: boolean): Response | undefined {
    const reason = new HttpError(503, 'The server has all the connections it can take', {
      code: 'too-many-connections',
      headers: LATER,
    });
    const head = new KnownHead(NOTHING_KNOWN, remoteAddress);
    this.#note(reason, head);
    return isAnswered ? (this.#page(reason, head) ?? refusalFor(service, new Request(), reason)) : undefined;
  }

  /** A TLS handshake has failed. */
  handshakeFailed(remoteAddress: string | undefined, error: NodeJS.ErrnoException): void {
    this.#count('tls');
    const why = error.code ?? error.message;
    const fields = { code: why, ...addressField(remoteAddress) };
    this.#log.log('handshake-failed', 'tls', `TLS handshake${from(remoteAddress)} failed: ${escaped(why)}`, fields);
  }

  /** Accepting has failed (no descriptors, no memory): the system offers the connection again when there is room. */
  acceptFailed(error: NodeJS.ErrnoException): void {
    this.#count('accept');
    this.#log.log('accept-failed', 'accept', `cannot accept a connection: ${error.message}`, { code: error.code ?? 'unknown' });
  }

  #note({ status, code, message }: HttpError, { method, target, remoteAddress }: RefusedHead): void {
    this.#count(String(status));
    const path = target?.split('?', 1)[0]?.slice(0, MAX_SHOWN); // no query: it may hold what no log should
    const what = method === undefined ? '' : ` ${escaped(method)}${path === undefined ? '' : ` ${quoted(path)}`}`;
    const fields: EventFields = {
      status,
      code,
      ...(method === undefined ? {} : { method }),
      ...(path === undefined ? {} : { path }),
      ...addressField(remoteAddress),
    };
    this.#log.log('refused', code, `refused${what}${from(remoteAddress)} with ${status} ${code}: ${message}`, fields);
  }

  /** Only requests with a body, when their head was accepted: of the others a file would not say more than the log. */
  #record(request: Request, error: unknown, body: IncomingBody | undefined): void {
    if (!this.#recorder || !(error instanceof ProtocolError)) return;
    const { status, code } = error;
    const announced = request.header('content-length');
    if (!body && (!OF_BODIES.has(status) || announced === undefined)) return;
    const none = { bytes: Buffer.alloc(0), length: Number(announced), letGo: undefined };
    this.#recorder.refused(request, () => body?.held() ?? none, `refused with ${status} ${code}`);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** What `onRefused` gives. What it throws is printed, as sparsely as refusals are logged: clients can bring it about, and it must not end the process. */
  #page(reason: HttpError, head: RefusedHead): Response | undefined {
    if (!this.#onRefused) return undefined;
    try {
      const answer: unknown = this.#onRefused(reason.status, head, reason);
      return answer === undefined ? undefined : checkedPage(answer, reason.status);
    } catch (error) {
      if (this.#log.admit('onRefused') !== undefined) printError('Cannot call onRefused', error);
      return undefined;
    }
  }
}

/** What a client is told of bytes that cannot be served. */
export function refusalOf({ status, message, code }: ProtocolError): HttpError {
  return new HttpError(status, message, { code, headers: status === 405 ? ALLOWED : status === 503 ? LATER : {} });
}

/** A head that was refused, as the application sees it. */
class KnownHead implements RefusedHead {
  readonly remoteAddress: string | undefined;
  readonly #known: PartialHead;

  constructor(known: PartialHead, remoteAddress: string | undefined) {
    this.#known = known;
    this.remoteAddress = remoteAddress;
  }

  get method(): string | undefined {
    return this.#known.method;
  }

  get target(): string | undefined {
    return this.#known.target;
  }

  get path(): string | undefined {
    const { target } = this.#known;
    return target === undefined || /[^\x21-\x7e]/.test(target) ? undefined : parseTarget(target)?.path;
  }

  get headers(): readonly (readonly [name: string, value: string])[] {
    return this.#known.lines.pairs();
  }

  header(name: string): string | undefined {
    return this.#known.lines.get(name);
  }
}

/** A page that can be sent in one piece. One that looks like a success gets the status of the refusal. */
function checkedPage(answer: unknown, status: number): Response {
  if (!(answer instanceof Response)) {
    if (answer instanceof Promise) answer.catch((error: unknown) => printError('Cannot call onRefused', error));
    const what = answer instanceof Promise ? 'a promise' : answer === null ? 'null' : typeof answer;
    throw badPage(`returned ${what}, not a Response`);
  }
  const { content, take } = answer;
  const isWhole = content === undefined || typeof content === 'string' || content instanceof Uint8Array;
  if (!isWhole || take) {
    answer.dispose();
    throw badPage('returned a response whose body is neither text nor bytes');
  }
  if (content !== undefined && Buffer.byteLength(content) > MAX_PAGE) throw badPage(`returned a body of more than ${MAX_PAGE} bytes`);
  return answer.status < 400 ? answer.withStatus(status) : answer;
}

function badPage(why: string): Error {
  return badOption('Cannot answer as onRefused says', `it ${why}`);
}

function from(remoteAddress: string | undefined): string {
  return remoteAddress === undefined ? '' : ` from ${remoteAddress}`;
}

function addressField(remoteAddress: string | undefined): EventFields {
  return remoteAddress === undefined ? {} : { remoteAddress };
}
