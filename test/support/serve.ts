/**
 * A server in this process, and a client that speaks bytes: for tests that must see exactly what is on the wire.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Handler } from '../../src/exchange/respond.ts';
import { type Request, Response } from '../../src/index.ts';
import { localGate } from '../../src/server/connection-gate.ts';
import type { LocalServer, ServerHost } from '../../src/server/host.ts';
import { logAs } from '../../src/server/operator-log.ts';
import { resolveOptions, type ServerOptions } from '../../src/server/options.ts';
import { serveLocally } from '../../src/server/serve.ts';
import { optionsOver, portOver } from './over.ts';
import { DEADLINE } from './until.ts';
import { Watchers } from './watchers.ts';

/** With this variable every handler of the tests is called over the messages of a thread (see src/server/threads/start.ts). */
const THREADS: ServerOptions = process.env['FILROUGE_PLAYED_THREADS'] === '1' ? { threads: 1 } : {};

/** A server that runs until the test ends. */
export interface Served {
  readonly port: number;
  readonly server: LocalServer;
}

/** Starts a server on a free port of this machine; it is closed when the test ends. */
export async function serve(handler: Handler, options: ServerOptions = {}): Promise<Served> {
  const hasOwn = options.tls !== undefined || options.h2c !== undefined; // it is about that
  const over = hasOwn ? {} : optionsOver();
  const given: ServerOptions = { host: '127.0.0.1', port: 0, workers: 0, signals: false, log: 'off', ...THREADS, ...over, ...options };
  const resolved = resolveOptions(given);
  logAs(resolved.log);
  const host: ServerHost = {
    hasPrimary: false,
    onUnstoppable: () => {},
    onPoolSize: () => {},
    onClose: () => void server.close(),
    guard: (inner) => inner,
    status: () => Promise.reject(new Error('There is no status in these tests')),
    activity: () => Promise.reject(new Error('There is no activity in these tests')),
    stackOf: () => Promise.resolve(undefined),
  };
  const server: LocalServer = await serveLocally(handler, resolved, localGate(options.maxConnections ?? 10_000), host);
  onTestFinished(() => server.close({ timeout: 0 }));
  const { address } = server;
  if (!('port' in address)) throw new Error('The server does not listen on a port');
  return { port: hasOwn ? address.port : await portOver(address.port), server };
}

/** A response as it stood on the wire. */
export interface Answer {
  readonly status: number;
  /** The head as sent, without the empty line. */
  readonly head: string;
  /** Names in lower case, values as sent; the first of several lines. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without its framing, one character a byte. */
  readonly body: string;
}

/** A raw connection. Text is one character a byte, both ways. */
export class Talk {
  readonly socket: Socket;
  /** Whether the server cut the connection instead of ending it. */
  isReset = false;
  /** Whether the server has ended its side, one way or the other. */
  isClosed = false;
  #text = '';
  readonly #waiting: Watchers = new Watchers();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      this.#wake();
    });
    const close = (): void => {
      this.isClosed = true;
      this.#wake();
    };
    socket.on('end', close);
    socket.on('close', close);
    socket.on('error', () => {
      this.isReset = true;
      close();
    });
  }

  /** All that has come. */
  get received(): string {
    return this.#text;
  }

  /** Sends bytes. */
  send(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Ends this side; the other may go on. */
  end(): void {
    this.socket.end();
  }

  /** Waits until what has come satisfies a test. @returns All that has come. */
  async until(isEnough: RegExp | ((text: string) => boolean), deadline: number = DEADLINE): Promise<string> {
    const test = isEnough instanceof RegExp ? (text: string) => isEnough.test(text) : isEnough;
    const hasCome = (): boolean => test(this.#text);
    await this.#wait(() => hasCome() || this.isClosed, deadline);
    if (!hasCome()) throw new Error(`The connection was closed before ${String(isEnough)} came: ${excerpt(this.#text)}`);
    return this.#text;
  }

  /** Waits for this many final responses. @returns All that have come. */
  async answers(count: number): Promise<Answer[]> {
    await this.until((text) => parseAnswers(text).length >= count);
    return parseAnswers(this.#text);
  }

  /** Waits until the server has ended its side. @returns All that has come. */
  async closed(deadline: number = DEADLINE): Promise<string> {
    await this.#wait(() => this.isClosed, deadline);
    return this.#text;
  }

  async #wait(isDone: () => boolean, deadline: number): Promise<void> {
    await this.#waiting.until(
      isDone,
      () => new Error(`Nothing of what was waited for in ${deadline} ms: ${excerpt(this.#text)}`),
      deadline,
    );
  }

  #wake(): void {
    this.#waiting.wake();
  }
}

/** Connects to a server; the connection is destroyed when the test ends. */
export async function talk(port: number): Promise<Talk> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  onTestFinished(() => void socket.destroy());
  const client = new Talk(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/**
 * The complete final responses in a text, interim ones left out.
 *
 * @param isEnd Whether nothing follows: a response without a length is then complete.
 * @param isHead Whether the response with this index answers HEAD, and has no body whatever it announces.
 */
export function parseAnswers(text: string, isEnd = false, isHead: (index: number) => boolean = () => false): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const head = text.slice(at, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new Error(`This is not a response: ${excerpt(text.slice(at))}`);
    const headers = fieldsOf(head);
    const found = isHead(answers.length) ? { body: '', end: headEnd + 4 } : bodyAt(text, headEnd + 4, status, headers, isEnd);
    if (!found) break;
    at = found.end;
    if (status >= 200) answers.push({ status, head, headers, body: found.body });
  }
  return answers;
}

function fieldsOf(head: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(': ');
    headers[line.slice(0, colon).toLowerCase()] ??= line.slice(colon + 2);
  }
  return headers;
}

function bodyAt(
  text: string,
  start: number,
  status: number,
  headers: Readonly<Record<string, string>>,
  isEnd: boolean,
): { body: string; end: number } | undefined {
  if (status < 200 || status === 204 || status === 304) return { body: '', end: start };
  if (headers['transfer-encoding'] === 'chunked') return unchunk(text, start);
  const length = headers['content-length'];
  if (length === undefined) return isEnd ? { body: text.slice(start), end: text.length } : undefined;
  const end = start + Number(length);
  return end <= text.length ? { body: text.slice(start, end), end } : undefined;
}

function unchunk(text: string, start: number): { body: string; end: number } | undefined {
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (text.slice(end, end + 2) !== '\r\n') return undefined;
    if (size === 0) return { body, end: end + 2 };
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}

function excerpt(text: string): string {
  return `${text.length} bytes, ${JSON.stringify(text.slice(0, 300))}`;
}

/** What a handler was asked. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly request: Request;
  readonly body: string;
}

/** What became of some bytes. */
export interface Outcome {
  readonly answers: Answer[];
  /** The status of each answer. */
  readonly statuses: number[];
  /** `GET /x` for each request that the handler saw. */
  readonly asked: string[];
  readonly seen: Seen[];
  readonly text: string;
  readonly isReset: boolean;
}

/** A request that is answered 200 and ends the connection: what comes behind shows whether the connection is kept, and in step. */
export const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Sends bytes to a server whose handler says 200 to everything, and waits until the server closes the connection. */
export async function ask(bytes: string | Uint8Array, options: ServerOptions = {}): Promise<Outcome> {
  const seen: Seen[] = [];
  const { port } = await serve((request) => {
    const body = request.body.bytes().toString('latin1');
    seen.push({ method: request.method, target: request.target, request, body });
    return Response.text(request.path);
  }, options);
  const client = await talk(port);
  client.send(bytes);
  const text = await client.closed();
  const answers = parseAnswers(text, true, (index) => seen[index]?.method === 'HEAD');
  return {
    answers,
    statuses: answers.map(({ status }) => status),
    asked: seen.map(({ method, target }) => `${method} ${target}`),
    seen,
    text,
    isReset: client.isReset,
  };
}

/** The same with one more good request behind: `[200, 200]` when the connection is kept, one status when it is closed. */
export function askTwice(bytes: string, options: ServerOptions = {}): Promise<Outcome> {
  return ask(bytes + NEXT, options);
}

/** A promise that a test settles. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve = (_value: T): void => {};
  let reject = (_error: Error): void => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
