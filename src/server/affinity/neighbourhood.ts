/**
 * The option `affinity` in a worker: who answers a request, and its way there.
 *
 *     handler(request) ──ours, or no key──▶ answered here, at once
 *          └──────another's──────▶ link.ts ──private socket of that worker──▶ side.ts, which calls its handler
 *
 * Whoever is asked looks into its own table again before it begins: tables reach workers one after the other, and only so is a key never answered by two
 * workers at the same time (supervisor/slots.ts). When the tables differ, the older one waits for the newer. What has no key is answered where it was
 * accepted, as long as that worker holds its slot: so keys that it makes (`affinityKeyHere`) lead to where their sessions are.
 *
 * @module
 */
import { timingSafeEqual } from 'node:crypto';
import { rmdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answering, type Handler, respond } from '../../exchange/respond.ts';
import { RequestBody } from '../../http/body/request-body.ts';
import { kindOf } from '../../http/errors/bad-option.ts';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import { Request } from '../../http/request.ts';
import { Response } from '../../http/response.ts';
import { areRequestsWatched } from '../../process/watching/request-channels.ts';
import type { AffinityHost, AffinityPlace } from '../host.ts';
import type { Service } from '../service.ts';
import { NeighbourLink } from './link.ts';
import type { Affinity } from './option.ts';
import { type Outcome, Passage, workerGone } from './passage.ts';
import { NeighbourSide, type SideOwner } from './side.ts';
import { type AffinityKey, type AffinityTable, holderOf, NO_TABLE } from './table.ts';
import { SECRET_SIZE } from './wire.ts';

/** How long a request may wait until somebody answers for its key, ms: that takes milliseconds, unless a worker is stuck or the primary gone. */
const PATIENCE = 5000;
/** A worker that could not be reached is asked again after this, ms, unless a table says before that another one answers. */
const AGAIN = 100;
/** How long a neighbour may take to say the secret, ms. */
const SECRET_TIME = 5000;
/** How often a worker that leaves looks whether all that was passed to it has been answered, ms. */
const DRAIN_STEP = 20;

/** That of a worker which has asked for one: no slot is its own. */
const NO_PLACE: AffinityPlace = { id: 0, slot: -1, directory: '', secret: Buffer.alloc(0) };

/** A worker among the others of its server. */
export class Neighbourhood implements SideOwner {
  readonly answering: Answering;
  readonly #affinity: Affinity;
  readonly #inner: Handler;
  readonly #service: () => Service;
  #place: AffinityPlace = NO_PLACE;
  #table: AffinityTable = NO_TABLE;
  /** What waits for the next table. */
  readonly #waiting: Set<() => void> = new Set();
  readonly #links: Map<number, NeighbourLink> = new Map();
  readonly #sides: Map<Socket, NeighbourSide> = new Map();
  readonly #server: Server;
  /** It answers nothing more for others. */
  #isOver = false;

  private constructor(affinity: Affinity, inner: Handler, service: () => Service) {
    this.#affinity = affinity;
    this.#inner = inner;
    this.#service = service;
    this.answering = new Answerer(inner, service);
    this.#server = createServer((socket) => this.#admit(socket));
    this.#server.unref(); // to the end of the process: a neighbour that comes late learns to whom to go
    process.on('exit', () => this.#cleanUp());
  }

  /**
   * Joins the other workers, and listens to them.
   *
   * @param inner Calls the handler of this worker.
   * @param service What becomes of the requests that clients send to this worker; asked for when there is one.
   */
  static async join(affinity: Affinity, inner: Handler, service: () => Service, host: AffinityHost): Promise<Neighbourhood> {
    const joined = new Neighbourhood(affinity, inner, service);
    joined.#place = await host.join((table) => joined.#take(table));
    await joined.#listen();
    return joined;
  }

  get service(): Service {
    return this.#service();
  }

  /** Has a request answered by whoever answers for its key. */
  readonly handle: Handler = (request) => {
    const key = this.#keyOf(request);
    const isOurs = holderOf(this.#table, key) === this.#place.id;
    if (isOurs && !areRequestsWatched()) return this.#inner(request);
    this.service.requests--; // it counts where it is handled
    return isOurs ? respond(this.answering, request) : this.#passOn(request, key);
  };

  isOurs(key: AffinityKey, version: number): true | number | Promise<true | number> {
    const table = this.#table;
    if (this.#isOver) return table.version + 1;
    if (version > table.version) return this.#tableFrom(version).then(() => this.isOurs(key, this.#table.version));
    return holderOf(table, key) === this.#place.id || table.version;
  }

  /** From now on `readiness` says that the server stops. */
  announce(): void {
    for (const side of this.#sides.values()) side.announce();
  }

  /** Ends what others have passed to this worker; what is left when the time is up is cut. Resolves when nothing is. */
  async drain(timeout: number): Promise<void> {
    for (const link of this.#links.values()) link.farewell();
    for (const side of this.#sides.values()) side.farewell();
    const end = performance.now() + timeout;
    while (![...this.#sides.values()].every((side) => side.isIdle) && performance.now() < end) await pause(DRAIN_STEP);
    this.#isOver = true;
    for (const [socket, side] of this.#sides) if (!side.isIdle) socket.destroy();
  }

  #keyOf(request: Request): AffinityKey {
    const key: unknown = this.#affinity(new Request(request.head, request.parts, request.peer, RequestBody.EMPTY));
    if (typeof key === 'string') return key;
    if (key === undefined) return this.#place.slot;
    throw new TypeError(`Cannot answer request: affinity returned ${kindOf(key)}, not a string or undefined`);
  }

  async #passOn(request: Request, key: AffinityKey): Promise<Response> {
    const end = performance.now() + PATIENCE;
    let isFirst = true;
    while (performance.now() < end && !request.abortReason) {
      const { version } = this.#table;
      const holder = holderOf(this.#table, key);
      if (holder === this.#place.id) return respond(this.answering, request);
      if (holder === undefined) {
        await this.#tableFrom(version + 1);
        continue;
      }
      const outcome = await this.#pass(holder, request, key, isFirst);
      if (outcome instanceof ProtocolError) return this.service.refusals.answer(this.service, request, request.head, outcome);
      if (outcome instanceof Response) return outcome;
      isFirst &&= !outcome.hasDied;
      await this.#tableFrom(outcome.version, outcome.isGone ? AGAIN : PATIENCE);
    }
    return workerGone(request, 503, 'No worker answers for this request');
  }

  #pass(holder: number, request: Request, key: AffinityKey, isFirst: boolean): Promise<Outcome> {
    let link = this.#links.get(holder);
    if (!link) {
      const { handlerTimeout } = this.service.options;
      const path = join(this.#place.directory, String(holder));
      link = new NeighbourLink(path, this.#place.secret, handlerTimeout, () => this.#links.delete(holder));
      this.#links.set(holder, link);
    }
    const { version } = this.#table;
    return new Promise((resolve) => link.pass(new Passage(request, version, isFirst, resolve), key));
  }

  #take(table: AffinityTable): void {
    this.#table = table;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const goOn of waiting) goOn();
  }

  /** Waits for a table, but not for ever. */
  async #tableFrom(version: number, patience: number = PATIENCE): Promise<void> {
    const end = performance.now() + patience;
    while (this.#table.version < version && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(goOn);
          resolve();
        };
        const timer = setTimeout(goOn, patience);
        this.#waiting.add(goOn);
      });
    }
  }

  get #path(): string {
    return join(this.#place.directory, String(this.#place.id));
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => {}); // no descriptor is left for a neighbour: it tries again
        resolve();
      });
    });
  }

  /** Somebody has connected. Only a worker of this server knows the secret. */
  #admit(socket: Socket): void {
    socket.unref();
    socket.on('error', () => {}); // 'close' follows
    const late = setTimeout(() => socket.destroy(), SECRET_TIME).unref();
    let early: Buffer = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      early = Buffer.concat([early, bytes]);
      if (early.length < SECRET_SIZE) return;
      clearTimeout(late);
      socket.off('data', onData);
      if (!timingSafeEqual(early.subarray(0, SECRET_SIZE), this.#place.secret)) return void socket.destroy();
      this.#sides.set(socket, new NeighbourSide(socket, early.subarray(SECRET_SIZE), this));
    };
    socket.on('data', onData);
    socket.on('close', () => {
      clearTimeout(late);
      this.#sides.delete(socket);
    });
  }

  /** The primary removes the directory, unless it is gone. */
  #cleanUp(): void {
    try {
      unlinkSync(this.#path);
      if (!process.connected) rmdirSync(this.#place.directory);
    } catch {
      // another worker is still there, or the primary was faster
    }
  }
}

/** Calls the handler for others, and counts what it handles with the rest. */
class Answerer implements Answering {
  readonly handler: Handler;
  readonly #service: () => Service;

  constructor(handler: Handler, service: () => Service) {
    this.handler = handler;
    this.#service = service;
  }

  get options(): Service['options'] {
    return this.#service().options;
  }

  get handsOn(): boolean {
    return this.options.threads.max > 0;
  }

  get requests(): number {
    return this.#service().requests;
  }

  set requests(count: number) {
    this.#service().requests = count;
  }

  get current(): Request | undefined {
    return this.#service().current;
  }

  set current(request: Request | undefined) {
    this.#service().current = request;
  }
}
