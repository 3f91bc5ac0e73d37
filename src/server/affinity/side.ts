/**
 * The connection from another worker, on the side of the one that answers: it plays a handler thread for it.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { resolve as absolute } from 'node:path';
import type { Answering } from '../../exchange/respond.ts';
import type { RequestBody } from '../../http/body/request-body.ts';
import { FileContent, StreamContent } from '../../http/body/response-body.ts';
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import type { FieldLines } from '../../http/field-lines.ts';
import type { Response } from '../../http/response.ts';
import { PIECE, pieceEnd, pieceOf, SMALL_BODY, textStep } from '../connection/memory-pieces.ts';
import type { Service } from '../service.ts';
import { Board } from '../threads/board.ts';
import { arrivedBody } from '../threads/inside/arrived-body.ts';
import { ThreadSide } from '../threads/inside/thread.ts';
import { ReceivedLines, type WireLines } from '../threads/known-lines.ts';
import type { FromThread, ToThread, WireBody, WireFailure } from '../threads/wire.ts';
import { CollectedBody } from './collected.ts';
import type { AffinityKey } from './table.ts';
import { type FromNeighbour, type Pass, readItems, sendItems, type ToNeighbour } from './wire.ts';

/** Those of a request have been read when it is handled. */
const NO_LINES: WireLines = [-1, '', []];

/** What a side asks of its worker. */
export interface SideOwner {
  readonly service: Service;
  readonly answering: Answering;
  /**
   * Whether this worker answers for a key. @returns True; or the least version of the table in which the sender should look for another; or a promise,
   * when the sender knows more than we do.
   */
  isOurs(key: AffinityKey, version: number): true | number | Promise<true | number>;
}

/** A request that has come and has not begun. */
interface Arrival {
  readonly pass: Pass;
  readonly lines: FieldLines;
  /** Set while its body is collected. */
  body: CollectedBody | undefined;
}

/** The port that a handler thread would speak through. */
class SocketPort {
  readonly #socket: Socket;
  /** Bodies that lie here, by the number of their request. */
  readonly bodies: Map<number, CollectedBody> = new Map();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Called with what comes. */
  deliver: (items: readonly ToThread[]) => void = () => {};

  on(_event: 'message', listener: (items: readonly ToThread[]) => void): void {
    this.deliver = listener;
  }

  postMessage(items: readonly FromThread[]): void {
    this.send(items);
  }

  send(items: readonly FromNeighbour[]): void {
    for (const item of items) {
      if (item[0] !== 'released') continue;
      this.bodies.get(item[1])?.close();
      this.bodies.delete(item[1]);
    }
    if (!this.#socket.destroyed) sendItems(this.#socket, items);
  }
}

/** Another worker's requests. */
export class NeighbourSide extends ThreadSide {
  readonly #owner: SideOwner;
  readonly #port: SocketPort;
  readonly #received: ReceivedLines = new ReceivedLines();
  readonly #arrivals: Map<number, Arrival> = new Map();
  /** The certificate that came last, and its bytes: clients come again. */
  #certificate: X509Certificate | undefined;

  /** @param early What has come behind the secret. */
  constructor(socket: Socket, early: Buffer, owner: SideOwner) {
    const port = new SocketPort(socket);
    super(owner.answering, owner.service.options.bodyMemory, port, new Board());
    this.#owner = owner;
    this.#port = port;
    socket.on('close', () => {
      for (const { body } of this.#arrivals.values()) body?.close();
      this.#arrivals.clear();
      this.abandon();
    });
    if (owner.service.isStopping) this.announce();
    readItems(socket, (items) => port.deliver(items as readonly ToThread[]), early); // `take` knows the others
  }

  override get isIdle(): boolean {
    return super.isIdle && this.#arrivals.size === 0;
  }

  /** From now on `readiness` says that the server stops. */
  announce(): void {
    this.#port.deliver([['stopping']]);
  }

  protected override take(item: ToNeighbour): void {
    if (item[0] === 'pass') return this.#arrive(item);
    if (item[0] === 'where') return this.#tellRoute(item[1]);
    const arrival = this.#arrivals.size > 0 ? this.#arrivals.get(item[1] as number) : undefined;
    if (!arrival) return super.take(item);
    switch (item[0]) {
      case 'data':
        return arrival.body?.add(item[2]);
      case 'end':
        return arrival.body?.end();
      case 'abort':
        return this.#giveUp(arrival, ['moved', item[1], arrival.pass[3]]); // whoever passed it on is to know that nothing will come
      case 'failed':
        return this.#giveUp(arrival, refusal(item[1], item[2]));
      default:
    }
  }

  /** Nothing of it has begun, or will. */
  #giveUp({ pass, body }: Arrival, answer: FromNeighbour): void {
    this.#arrivals.delete(pass[1]);
    body?.close();
    this.#port.send([answer]);
  }

  #tellRoute(id: number): void {
    const route = this.routeOf(id);
    if (route !== undefined) this.#port.send([['routed', id, route]]);
  }

  #arrive(pass: Pass): void {
    const [, id, key, version, , , , lines] = pass;
    const arrival: Arrival = { pass, lines: this.#received.fromWire(lines), body: undefined };
    const verdict = this.#owner.isOurs(key, version);
    if (verdict === true) return this.#begin(arrival);
    if (typeof verdict === 'number') return this.#port.send([['moved', id, verdict]]);
    this.#arrivals.set(id, arrival);
    void verdict.then((later) => {
      if (this.#arrivals.get(id) !== arrival) return; // its client is gone
      this.#arrivals.delete(id);
      if (later === true) this.#begin(arrival);
      else this.#port.send([['moved', id, later]]);
    });
  }

  #begin(arrival: Arrival): void {
    const [, id, key, version, , , , , , body] = arrival.pass;
    if (body === undefined || body instanceof Uint8Array) return this.#handle(arrival, body && Buffer.from(body)); // not a view of all that has come
    const [isLive, size] = body;
    if (isLive) return this.#handle(arrival, [true, size]);
    this.#arrivals.set(id, arrival);
    arrival.body = new CollectedBody(size, this.#owner.service, {
      onTaken: (count) => this.post(['taken', id, count]),
      onBody: (collected, error) => {
        if (error) return this.#giveUp(arrival, ['refused', id, error.status, error.code, error.message]);
        const verdict = this.#owner.isOurs(key, version); // it has taken its time
        if (typeof verdict === 'number') return this.#giveUp(arrival, ['moved', id, verdict]);
        this.#arrivals.delete(id);
        this.#port.bodies.set(id, collected);
        this.#handle(arrival, collected.incoming.finish());
      },
    });
    this.post(['taken', id, 0]);
  }

  #handle({ pass, lines }: Arrival, body: WireBody | RequestBody): void {
    const [, id, , , method, target, httpVersion, , peer] = pass;
    const [remoteAddress, remotePort, secure, host, readAt, port, connection, certificate] = peer;
    const client = [
      remoteAddress,
      remotePort,
      secure,
      host,
      readAt,
      port,
      connection,
      certificate && this.#certificateOf(certificate),
    ] as const;
    const arrived = arrivedBody(id, body, this.#owner.service.options.bodyMemory, this.post);
    this.handle(['request', id, method, target, httpVersion, NO_LINES, client, undefined], lines, arrived);
  }

  #certificateOf(bytes: Uint8Array): X509Certificate {
    if (!this.#certificate?.raw.equals(bytes)) this.#certificate = new X509Certificate(bytes);
    return this.#certificate;
  }

  /** A descriptor means nothing in another process, and a large body is sent as it is taken. */
  protected override sendable(response: Response): Response {
    const { content } = response;
    if (content instanceof FileContent) {
      const { path, fileSize, version, parts } = content;
      content.drop();
      return response.withContent(new FileContent(absolute(path), fileSize, version, undefined, parts));
    }
    if (content === undefined || content instanceof StreamContent || content.length <= SMALL_BODY) return response;
    const size = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
    return response.withContent(new StreamContent(piecesOf(content, size), size));
  }
}

/** What is said of a body that could not be read to its end where it was accepted. */
function refusal(id: number, [message, status = 500, code]: WireFailure): FromNeighbour {
  return ['refused', id, status, (code as ErrorCode | undefined) ?? 'body-incomplete', message];
}

function* piecesOf(body: string | Uint8Array, size: number): Generator<Uint8Array> {
  const step = typeof body === 'string' ? textStep(body, size) : PIECE;
  for (let at = 0; at < body.length; ) {
    const end = pieceEnd(body, at, step);
    yield pieceOf(body, at, end);
    at = end;
  }
}
