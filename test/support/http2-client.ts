/**
 * A client that speaks HTTP/2 frame by frame over a real connection: for tests that send what no client library would.
 *
 * It waits for events, each with a deadline. Its `ping` is a fence: when the answer is here, all that was sent before has been read.
 *
 * @module
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { ACK, type CODES, END_STREAM, type Fields, type Frame, FrameParser, frame, HELLO, headers, request } from './http2-frames.ts';
import { DEADLINE } from './until.ts';
import { Watchers } from './watchers.ts';

/** How a client connects. */
export interface Http2ClientOptions {
  /** Over TLS, by ALPN. */
  readonly tls?: boolean;
  /** Sent at once: preface and empty settings unless it is given. */
  readonly hello?: Uint8Array;
}

/** What came on one stream. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Statuses of the interim responses. */
  readonly interim: readonly number[];
  /** One character a byte. */
  readonly body: string;
  /** The code with which the server has reset the stream. */
  readonly code: Frame['code'];
}

/** How the connection ended. */
export interface Ending {
  /** The code of the last GOAWAY; undefined when there was none. */
  readonly code: Frame['code'];
  /** The last stream that it names. */
  readonly lastId: number | undefined;
  /** Whether the server has cut the connection instead of ending it. */
  readonly isReset: boolean;
}

/** One connection. */
export class Http2Client {
  readonly socket: Socket;
  /** All that has come. */
  readonly frames: Frame[] = [];
  isReset = false;
  isEnded = false;
  readonly #parser: FrameParser = new FrameParser();
  readonly #waiting: Watchers = new Watchers();
  #pings = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    const end = (): void => {
      this.isEnded = true;
      this.#wake();
    };
    socket.on('data', (bytes: Buffer) => {
      this.frames.push(...this.#parser.push(bytes));
      this.#wake();
    });
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', () => {
      this.isReset = true;
      end();
    });
  }

  /** Sends bytes, in one write. */
  send(...bytes: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Waits for a frame, among those that have come as well. */
  async frame(isIt: (one: Frame) => boolean, what: string, deadline: number = DEADLINE): Promise<Frame> {
    const find = (): Frame | undefined => this.frames.find(isIt);
    await this.until(() => find() !== undefined || this.isEnded, what, deadline);
    const found = find();
    if (!found) throw new Error(`The connection ended before ${what}: ${this.#story()}`);
    return found;
  }

  /** Waits for the code with which the server resets a stream. */
  async resetOf(id: number): Promise<Frame['code']> {
    const reset = await this.frame((one) => one.type === 'RST_STREAM' && one.id === id, `the reset of stream ${id}`);
    return reset.code;
  }

  /** Waits until the server has ended a stream, one way or the other. */
  async answer(id: number): Promise<StreamAnswer> {
    await this.frame((one) => one.id === id && isLast(one), `the end of stream ${id}`);
    return this.received(id);
  }

  /** Asks for `path` on a stream, and waits for the answer. */
  async ask(id: number, path = '/', ...fields: Fields): Promise<StreamAnswer> {
    this.send(headers(id, request('GET', path, ...fields)));
    return this.answer(id);
  }

  /** What has come on a stream so far. */
  received(id: number): StreamAnswer {
    const own = this.frames.filter((one) => one.id === id);
    const heads = own.filter(({ type }) => type === 'HEADERS').map(({ fields = [] }) => Object.fromEntries(fields));
    const statuses = heads.map((fields) => Number(fields[':status']));
    const at = statuses.findIndex((status) => status >= 200);
    return {
      status: statuses[at] ?? 0,
      headers: heads[at] ?? {},
      interim: statuses.filter((status) => status < 200),
      body: own
        .filter(({ type }) => type === 'DATA')
        .map(({ payload }) => payload.toString('latin1'))
        .join(''),
      code: own.find(({ type }) => type === 'RST_STREAM')?.code,
    };
  }

  /** Waits until the server has read all that was sent. */
  async ping(): Promise<void> {
    const mark = `fence ${String(this.#pings++).padStart(2, '0')}`;
    this.send(frame('PING', 0, 0, mark));
    await this.frame(({ type, flags, payload }) => type === 'PING' && flags === ACK && payload.toString() === mark, 'the answer to a ping');
  }

  /** Waits until the server has ended the connection, or its side of it. */
  async ending(deadline: number = DEADLINE): Promise<Ending> {
    await this.until(() => this.isEnded, 'the end of the connection', deadline);
    const last = this.frames.findLast(({ type }) => type === 'GOAWAY');
    return { code: last?.code, lastId: last?.payload.readUInt32BE(0), isReset: this.isReset };
  }

  /** Waits until a condition holds that depends on what comes. */
  async until(isDone: () => boolean, what: string, deadline: number = DEADLINE): Promise<void> {
    await this.#waiting.until(isDone, () => new Error(`Waited in vain for ${what}: ${this.#story()}`), deadline);
  }

  #wake(): void {
    this.#waiting.wake();
  }

  /** What has come, for messages. */
  #story(): string {
    const frames = this.frames.slice(-20).map(({ type, id, code }) => `${type} ${id}${code === undefined ? '' : ` ${code}`}`);
    return `${frames.join(', ') || 'nothing came'}${this.isEnded ? ', end' : ''}`;
  }
}

/** Connects to a server; the connection is destroyed when the test ends. */
export async function connectHttp2(port: number, { tls = false, hello = HELLO }: Http2ClientOptions = {}): Promise<Http2Client> {
  const where = { port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true };
  const socket = tls ? connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: ['h2'] }) : connectTcp(where);
  onTestFinished(() => void socket.destroy());
  const client = new Http2Client(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  client.send(hello);
  return client;
}

/** The code of an error, as it is named on the wire. */
export type Code = (typeof CODES)[number];

function isLast({ type, flags }: Frame): boolean {
  return type === 'RST_STREAM' || ((type === 'HEADERS' || type === 'DATA') && (flags & END_STREAM) !== 0);
}
