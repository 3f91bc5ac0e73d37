/**
 * The requests that a handler thread, or another worker, has under way, by their numbers; and what becomes of what it says about them.
 *
 * @module
 */
import { HeaderList } from '../../http/header-list.ts';
import type { Request } from '../../http/request.ts';
import { type Flight, fileOf } from './flight.ts';
import type { FromThread, ThreadLink, WireList, WirePeer, WireRoute } from './wire.ts';

/** An item that concerns one request and is no answer. */
export type Following = Exclude<
  FromThread,
  readonly ['ready' | 'close' | 'hits' | 'question' | 'group' | 'channel' | 'route' | 'answer', ...unknown[]]
>;

/** Requests by their numbers. */
export class Flights extends Map<number, Flight> {
  #nextId = 0;
  readonly #lists: HeaderList[] = [];
  readonly #routes: string[] = [];

  /** Gives a request its number: the next, small enough for the shared memory. A websocket may still have one from long ago. */
  board(flight: Flight, link: ThreadLink): number {
    do this.#nextId = (this.#nextId + 1) & 0x3fffffff;
    while (this.has(this.#nextId));
    flight.thread = link;
    flight.id = this.#nextId;
    this.set(flight.id, flight);
    return flight.id;
  }

  /** An answer has come. */
  answered(item: Extract<FromThread, readonly ['answer', ...unknown[]]>): void {
    const fields = this.#listOf(item[3]);
    const route = this.#routeOf(item[7]);
    const flight = this.get(item[1]);
    if (route !== undefined) flight?.request.matched(route, true);
    if (!flight) {
      if (item[4][0] === 'file') fileOf(item[4][1]).drop(); // it may be open
    } else if (!flight.take(item, fields)) this.delete(flight.id);
  }

  /** What comes before an answer or behind it. */
  follow(item: Following): void {
    const flight = this.get(item[1]);
    if (!flight) return;
    switch (item[0]) {
      case 'interim':
        return flight.interim(item[2], item[3]);
      case 'failing':
        return flight.request.peer.server?.options.recorder?.failed(flight.request, item[2], item[3]);
      case 'data':
        return flight.data(item[2]);
      case 'end':
        return flight.end();
      case 'failed':
        return flight.fail();
      case 'taken':
        return flight.taken(item[2]);
      case 'dropped':
        return flight.dropped();
      default:
        flight.letGo?.();
        if (!flight.isTunnelled) this.delete(flight.id);
    }
  }

  /** A list comes whole the first time, and by its number when it is sent again. */
  #listOf(list: WireList): HeaderList {
    if (typeof list === 'number') return this.#lists[list] as HeaderList; // it has come before
    const [number, ...flat] = list as readonly [string, ...string[]];
    const made = HeaderList.ofChecked(flat);
    if (number !== '') this.#lists[Number(number)] = made;
    return made;
  }

  /** A route has got the next number. */
  learn(route: string): void {
    this.#routes.push(route);
  }

  /** A request has the route with a number so far; with -1 it has none. */
  routed(id: number, number: number): void {
    const route = this.#routes[number];
    const request = this.get(id)?.request;
    if (route !== undefined && request && request.route !== route) request.matched(route, true);
  }

  #routeOf(route: WireRoute): string | undefined {
    return typeof route === 'number' ? this.#routes[route] : route; // there is nothing at -1
  }
}

/** Where the client of a request is, as it travels. */
export function wirePeerOf({ peer }: Request): WirePeer {
  const { remoteAddress, remotePort, secure, host, readAt, port, clientCertificate, connection } = peer;
  const sentAt = readAt + performance.timeOrigin;
  return [remoteAddress, remotePort, secure, host, sentAt, port, connection, clientCertificate];
}
