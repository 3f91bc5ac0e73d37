/**
 * A Socket.IO server as an answer of ours: it listens nowhere, and is given the requests that a handler gives it.
 *
 * Its engine attaches itself to a server of node:http that listens nowhere either, and gets from it what it would get anywhere: the events `request`, for
 * long-polling, and `upgrade`, for websockets.
 *
 * @module
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type DefaultEventsMap, Server } from 'socket.io';
import { offeredUpgrade } from '../http/request/offered-upgrade.ts';
import { whileAsked } from '../http/request/while-asked.ts';
import type { PeerServer, Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { requireOneThread } from '../process/one-memory.ts';
import { leadRequests } from '../process/place/affinities.ts';
import { silentServer } from './node/passing.ts';
import { visitUpgrade } from './node/upgrade.ts';
import { visit } from './node/visit.ts';
import { type Bus, clusterAdapter } from './socket-io/adapter.ts';
import { type EngineClient, leave, watchUpgrade } from './socket-io/leaving.ts';
import { checkedOptions, type SocketIOOptions } from './socket-io/options.ts';

export type { Bus } from './socket-io/adapter.ts';
export type { SocketIOOptions } from './socket-io/options.ts';

/** Whatever JSON holds: the type that socket.io has for what events carry, and for the data of a socket, unless it is told another. */
export type Untyped = ReturnType<JSON['parse']>;

/** What events carry, by their names. It is socket.io's own constraint, and the only one that an interface satisfies. */
export type Events = { [event: string]: Untyped };

/** What the declarations of the engine keep to themselves. */
interface EngineParts {
  readonly clients: Readonly<Record<string, EngineClient>>;
}

/** What the server is surrounded by. */
export interface Surroundings {
  /** Carries messages between the workers and threads of the server. Called when the options name no adapter. */
  readonly bus: (path: string) => Bus;
  /** Makes the id of a session: a key that leads to this worker. */
  readonly sessionId: () => string;
}

const ONLY_WEBSOCKET = "Only websocket is served here: connect with { transports: ['websocket'] }";

/**
 * A Socket.IO server. It is socket.io's `Server`, with all that belongs to it, and has to be given its requests with `answer`. It needs no `listen` and no
 * `attach`.
 */
export class SocketIOServer<
  ListenEvents extends Events = DefaultEventsMap,
  EmitEvents extends Events = ListenEvents,
  ServerSideEvents extends Events = DefaultEventsMap,
  SocketData = Untyped,
> extends Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  readonly #host: HttpServer = silentServer();
  /** What the paths of its requests begin with. */
  readonly #prefix: string;
  readonly #isPolled: boolean;
  /** The servers that are to say when they drain, and which of them do. */
  readonly #watched: WeakSet<PeerServer> = new WeakSet();
  readonly #draining: WeakSet<PeerServer> = new WeakSet();

  /** @internal See `createSocketIO`. */
  constructor(given: SocketIOOptions, { bus, sessionId }: Surroundings) {
    const options = checkedOptions(given);
    const { path = '/socket.io', addTrailingSlash = true, transports = ['polling', 'websocket'] } = options;
    const bare = path.replace(/\/$/, '');
    super({ ...options, adapter: options.adapter ?? clusterAdapter(bus(bare)) });
    this.#prefix = addTrailingSlash ? `${bare}/` : bare;
    this.#isPolled = transports.includes('polling');
    if (this.#isPolled) {
      requireOneThread("Socket.IO's long-polling needs its sessions: serve websockets alone with transports: ['websocket'], or one thread");
      leadRequests('a Socket.IO server', (head: Request) => (this.#isOwn(head) ? sidOf(head) : undefined));
    }
    this.attach(this.#host);
    this.engine.generateId = sessionId;
    this.engine.on('connection', watchUpgrade);
    if (!this.#isPolled) this.engine.use(refusePolling);
  }

  /**
   * Answers a request to this server.
   *
   * @returns Undefined when the path is not its own. 503 while the server that the request came to drains, for clients that have no session: they come
   *   again, to another worker.
   * @example
   * startServer((request) => io.answer(request) ?? Response.empty(404));
   */
  answer(request: Request): Response | Promise<Response> | undefined {
    if (!this.#isOwn(request)) return undefined;
    const { server } = request.peer;
    if (server) this.#watch(server);
    if (server && this.#draining.has(server) && sidOf(request) === undefined) {
      return Response.fromError(new HttpError(503, 'The server is stopping', { code: 'server-stopping' }), request);
    }
    const protocols = offeredUpgrade(request);
    if (protocols === undefined || request.body.size !== 0) return whileAsked(request, visit(request, this.#onRequest));
    return whileAsked(request, visitUpgrade(request, protocols, this.#onUpgrade, this.#onStopping));
  }

  readonly #onRequest = (req: IncomingMessage, res: ServerResponse): unknown => this.#host.emit('request', req, res);

  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): unknown => this.#host.emit('upgrade', req, socket, head);

  /** The worker that a websocket has come to stops, or the one that it has been passed on by. */
  readonly #onStopping = (request: Request, end: () => void): void => {
    const client = this.#clients[sidOf(request) ?? ''];
    if (client?.transport.name !== 'polling') return end();
    client.once('close', end);
    leave(client);
  };

  get #clients(): EngineParts['clients'] {
    return (this.engine as unknown as EngineParts).clients;
  }

  #isOwn({ path }: Request): boolean {
    return path.startsWith(this.#prefix);
  }

  /** Clients that poll are told when the server stops; websockets learn it from their connection, one after the other. */
  #watch(server: PeerServer): void {
    if (this.#watched.has(server)) return;
    this.#watched.add(server);
    server.stopping.when(() => {
      this.#draining.add(server);
      for (const client of Object.values(this.#clients)) if (client.transport.name === 'polling') leave(client);
    });
  }
}

/** The session a request belongs to, as the engine reads it. */
function sidOf({ query }: Request): string | undefined {
  return query.get('sid') || undefined;
}

/** Tells a client that polls what to do instead, in the engine's own form of an error. */
function refusePolling(req: IncomingMessage & { _query?: { transport?: unknown } }, res: ServerResponse, next: () => void): void {
  if (req._query?.transport !== 'polling') return next();
  res.writeHead(400, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ code: 0, message: ONLY_WEBSOCKET }));
}
