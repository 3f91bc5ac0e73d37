/**
 * The connection to another worker, on the side of the one that passes requests on.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { Request } from '../../http/request.ts';
import { Flights, wirePeerOf } from '../threads/flights.ts';
import { SentLines } from '../threads/known-lines.ts';
import type { ThreadLink, ToThread } from '../threads/wire.ts';
import type { Elsewhere, Passage } from './passage.ts';
import type { AffinityKey } from './table.ts';
import { type FromNeighbour, INLINE_BODY, type PassedBody, type PassedPeer, readItems, sendItems, type ToNeighbour } from './wire.ts';

/** How many times in `handlerTimeout` it is asked for the routes of requests that take long. */
const LOOKS = 16;

/** One connection for all requests to one worker. */
export class NeighbourLink implements ThreadLink {
  readonly #flights: Flights = new Flights();
  readonly #socket: Socket;
  readonly #lines: SentLines = new SentLines();
  #outbox: ToNeighbour[] = [];
  #isOpen = false;
  #isGone = false;
  /** Since when requests have waited that were there at the last look, monotonic ms. */
  #lookedAt = 0;

  /**
   * @param path Where the worker listens.
   * @param secret What it wants to be told first.
   * @param handlerTimeout As the option: what is not answered by then is answered here, and counted under the route that it has there.
   * @param onGone The connection has ended: it is the worker's end, or was never possible.
   */
  constructor(path: string, secret: Uint8Array, handlerTimeout: number, onGone: () => void) {
    const socket = connect({ path });
    this.#socket = socket;
    socket.unref(); // connections keep the process alive, not this one
    socket.write(secret);
    socket.on('connect', () => {
      this.#isOpen = true;
    });
    readItems(socket, (items) => {
      for (const item of items as readonly FromNeighbour[]) this.#take(item);
    });
    socket.on('error', () => {}); // 'close' follows
    const looks = handlerTimeout > 0 ? setInterval(() => this.#look(), handlerTimeout / LOOKS).unref() : undefined;
    socket.on('close', () => {
      clearInterval(looks);
      this.#isGone = true;
      onGone();
      for (const flight of this.#flights.values()) (flight as Passage).lose(502, this.#isOpen);
      this.#flights.clear();
    });
  }

  /** Passes a request on. */
  pass(flight: Passage, key: AffinityKey): void {
    const { request, version } = flight;
    const id = this.#flights.board(flight, this);
    const { method, target, httpVersion } = request;
    const body = this.#bodyOf(flight);
    this.#push(['pass', id, key, version, method, target, httpVersion, this.#lines.toWire(request.lines), peerOf(request), body]);
    request.whenAborted((reason) => this.#push(['abort', id, reason.message, reason.name]));
  }

  post(item: ToThread): void {
    this.#push(item);
  }

  forget(id: number): void {
    this.#flights.delete(id);
  }

  endWait(): boolean {
    return false; // that is up to the worker whose thread waits
  }

  /** Ends what waits for this worker's end over there. */
  farewell(): void {
    this.#push(['draining']);
  }

  /** Items of one turn of the loop leave in one message, but for a request that is alone: it does not wait for others. */
  #push(item: ToNeighbour): void {
    if (this.#isGone) return;
    this.#outbox.push(item);
    if (this.#outbox.length > 1) return;
    if (item[0] === 'pass' && this.#flights.size === 1) this.#flush();
    else setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const items = this.#outbox;
    this.#outbox = [];
    if (!this.#isGone && items.length > 0) sendItems(this.#socket, items);
  };

  /** Asks which routes those have that were there at the last look: most requests are answered between two. */
  #look(): void {
    for (const { id, startedAt, isAnswered } of this.#flights.values()) {
      if (!isAnswered && startedAt < this.#lookedAt) this.#push(['where', id]);
    }
    this.#lookedAt = performance.now();
  }

  #bodyOf(flight: Passage): PassedBody {
    const { body } = flight.request;
    const { source } = body;
    if (Buffer.isBuffer(source) && source.length <= INLINE_BODY) return source.length === 0 ? undefined : source;
    if (!('stream' in source)) flight.letGo = body.retain();
    void flight.feed(this);
    return ['stream' in source, body.size];
  }

  #giveBack(id: number, outcome: Elsewhere | ProtocolError): void {
    const flight = this.#flights.get(id) as Passage | undefined; // `pass` has put it there
    this.#flights.delete(id);
    flight?.giveBack(outcome);
  }

  #take(item: FromNeighbour): void {
    switch (item[0]) {
      case 'moved':
        return this.#giveBack(item[1], { version: item[2], isGone: false, hasDied: false });
      case 'refused':
        return this.#giveBack(item[1], new ProtocolError(item[2], item[3], item[4]));
      case 'route':
        return this.#flights.learn(item[1]);
      case 'routed':
        return this.#flights.get(item[1])?.request.matched(item[2], true);
      case 'answer':
        return this.#flights.answered(item);
      case 'ready':
      case 'close':
      case 'hits':
      case 'question':
      case 'group':
      case 'channel':
        return; // what a worker says to itself
      default:
        this.#flights.follow(item);
    }
  }
}

function peerOf(request: Request): PassedPeer {
  const [remoteAddress, remotePort, secure, host, readAt, port, connection, certificate] = wirePeerOf(request);
  return [remoteAddress, remotePort, secure, host, readAt, port, connection, certificate?.raw];
}
