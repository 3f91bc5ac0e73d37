/**
 * A request on its way through a handler thread, as the main thread sees it.
 *
 * @module
 */

import { answerKnown } from '../../exchange/channels.ts';
import { REPORTED, refusalFor } from '../../exchange/respond.ts';
import { type Content, StreamContent } from '../../http/body/response-body.ts';
import { FileContent } from '../../http/file/file-content.ts';
import { OpenFile } from '../../http/file/open-file.ts';
import { HeaderList } from '../../http/header-list.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import type { TakeConnection } from '../../http/takeover.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { areRequestsWatched } from '../../process/watching/request-channels.ts';
import { whenSent } from '../../process/watching/sent.ts';
import { EndlessContent, RemoteStream } from './remote-stream.ts';
import { SocketTunnel } from './socket-tunnel.ts';
import { type FromThread, onWire, type ThreadLink, WINDOW, type WireContent, type WireFile } from './wire.ts';

/** One request, from the moment it waits for a thread until nothing of it is left there. */
export class Flight {
  readonly request: Request;
  /** When it came, monotonic ms. */
  readonly startedAt: number;
  /** When its thread was seen to have begun with it, monotonic ms; 0: not yet. */
  begunAt = 0;
  /** Its number among all that were put into the inbox of its thread. */
  order = 0;
  /** The thread it was given to, and its number there. */
  thread: ThreadLink | undefined;
  id = 0;
  /** Where it stands, once somebody looks. */
  place: Promise<string | undefined> | undefined;
  /** It was logged as slow. */
  isSlow = false;
  /** Since when its wait for an I/O thread was ended, monotonic ms; 0: it was not. */
  recalledAt = 0;
  /** The client has its answer, or is gone. */
  isAnswered = false;
  /** Frees what is held for the thread. */
  letGo: (() => void) | undefined;
  readonly #resolve: (response: Response) => void;
  #stream: RemoteStream | undefined;
  #tunnel: SocketTunnel | undefined;
  /** Bytes of the request's body that are on their way; -1 until the thread asks for the first. */
  #sent = -1;
  /** Wakes `feed` when the thread has taken some of them. */
  #onTaken: WakeUp | undefined;

  constructor(request: Request, startedAt: number, resolve: (response: Response) => void) {
    this.request = request;
    this.startedAt = startedAt;
    this.#resolve = resolve;
  }

  /** Since when its handler has had it; as long as none has, since when it waits. */
  get since(): number {
    return this.begunAt || this.startedAt;
  }

  /** Answers the client, once. */
  answer(response: Response): void {
    if (this.isAnswered) return response.dispose();
    this.isAnswered = true;
    this.#resolve(response);
  }

  /** Answers the client while the thread is still busy with its request. */
  answerInstead(response: Response): void {
    if (!this.isAnswered) this.tellSent();
    this.answer(response);
  }

  /** Answers the client for a thread that will not: it has not begun, or is gone. */
  refuse(response: Response): void {
    if (!this.isAnswered && areRequestsWatched()) answerKnown(this.request, response, true);
    this.answer(response);
  }

  /** Has the thread told how the response goes out. */
  tellSent(): void {
    whenSent(this.request, (sent) => this.thread?.post(['sent', this.id, onWire(sent, 1)]));
  }

  /** What the thread has answered. @returns Whether more is to come. */
  take([, , status, , content, holds, asksSent]: Extract<FromThread, readonly ['answer', ...unknown[]]>, fields: HeaderList): boolean {
    const { request } = this;
    const thread = this.thread as ThreadLink; // it has just spoken
    const response = Response.ofParts(
      status,
      fields,
      this.#contentOf(content, thread),
      content[0] === 'upgrade' ? this.#takeOver : undefined,
    );
    const isUpgrade = content[0] === 'upgrade';
    const over = (): void => {
      thread.post(['over', this.id]);
      if (!this.letGo && !isUpgrade) thread.forget(this.id); // else the thread says when it has, or the tunnel when it ends
    };
    if (isUpgrade) request.onEnd(() => setImmediate(this.#unlessTaken)); // a connection is taken over as the exchange ends
    if (asksSent && !this.isAnswered) {
      this.tellSent();
      whenSent(request, over); // not before
    } else if (holds) request.onEnd(over);
    this.answer(response);
    return holds || isUpgrade;
  }

  /** An interim response of the handler, before it answers. */
  interim(status: number, fields: readonly string[]): void {
    if (!this.isAnswered) this.request.peer.carrier?.sendInterim(this.request, status, HeaderList.ofChecked(fields));
  }

  #contentOf(content: WireContent, thread: ThreadLink): Content {
    switch (content[0]) {
      case 'text':
        return content[1];
      case 'bytes':
        return Buffer.from(content[1].buffer, content[1].byteOffset, content[1].byteLength);
      case 'file':
        return fileOf(content[1]);
      case 'stream':
        return this.#streamOf(content, thread);
      default:
        return undefined;
    }
  }

  /** The heartbeat is that of the main thread, which is never blocked, unless the thread has put it into a compressed body. */
  #streamOf([, size, heartbeat, isEndless]: Extract<WireContent, readonly ['stream', ...unknown[]]>, thread: ThreadLink): StreamContent {
    this.#stream = new RemoteStream(thread, this.id);
    if (heartbeat || !isEndless) return new StreamContent(this.#stream, size, heartbeat);
    return new EndlessContent(this.#stream, () => thread.post(['goodbye', this.id]));
  }

  readonly #unlessTaken = (): void => {
    if (this.#tunnel) return;
    this.thread?.post(['unopened', this.id]);
    if (!this.letGo) this.thread?.forget(this.id);
  };

  readonly #takeOver: TakeConnection = (socket, head, { stopping }) => {
    const thread = this.thread as ThreadLink; // it has answered with an upgrade
    if (stopping.aborted) thread.post(['goodbye', this.id]);
    stopping.addEventListener('abort', () => thread.post(['goodbye', this.id]));
    this.#tunnel = new SocketTunnel(thread, this.id, socket, head);
  };

  /** Its connection was taken over, and is open. */
  get isTunnelled(): boolean {
    return this.#tunnel !== undefined;
  }

  /** More of a streamed response or an upgraded connection. */
  data(bytes: Uint8Array | string): void {
    this.#stream?.deliver(bytes);
    this.#tunnel?.write(bytes as Uint8Array);
  }

  /** The end of it. */
  end(): void {
    this.#stream?.finish();
    this.#tunnel?.end();
  }

  /** The response's source has failed, or the thread has destroyed the connection. */
  fail(): void {
    this.#stream?.fail(REPORTED);
    this.#tunnel?.destroy();
  }

  /** The thread has taken bytes of a body or a connection. */
  taken(count: number): void {
    this.#sent = this.#sent === -1 ? 0 : this.#sent - count;
    this.#onTaken?.wake();
    this.#tunnel?.taken(count);
  }

  /** The thread reads no more of the request's body. */
  dropped(): void {
    this.request.body.stream().destroy();
  }

  /** The thread is gone. @param status 503 when it was stopped, 500 when it has died. */
  lose(status: number): void {
    const headers = status === 503 ? { 'Retry-After': '1' } : {};
    this.refuse(refusalFor(this.request.peer.server, this.request, new HttpError(status, undefined, { code: 'thread-stopped', headers })));
    this.fail();
    this.letGo?.();
  }

  /** Sends a streamed body to the thread as it comes in and as the thread takes it; the first piece when the thread asks for it. */
  async feed(thread: ThreadLink): Promise<void> {
    try {
      await this.#room();
      for await (const chunk of this.request.body.stream()) {
        const bytes = chunk as Buffer;
        thread.post(['data', this.id, bytes]);
        this.#sent += bytes.length;
        await this.#room();
      }
      thread.post(['end', this.id]);
    } catch (error) {
      const { message } = error as Error;
      const [status, code] = error instanceof HttpError ? [error.status, error.code] : [undefined, undefined];
      thread.post(['failed', this.id, [message, status, code]]);
    }
  }

  async #room(): Promise<void> {
    this.#onTaken ??= new WakeUp();
    while (this.#sent === -1 || this.#sent > WINDOW) await this.#onTaken.wait();
  }
}

/** The file a thread answers with. */
export function fileOf({ path, fileSize, version, parts, descriptor }: WireFile): FileContent {
  const held = descriptor === undefined || !version ? undefined : new OpenFile(path, descriptor, version);
  return new FileContent(path, fileSize, version, held, parts);
}
