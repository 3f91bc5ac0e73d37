/**
 * The adapter of Socket.IO servers that belong together: those of the workers and handler threads of a server. The protocol is that of Socket.IO's own
 * `ClusterAdapter`; here is how its messages travel.
 *
 * Rooms and sockets stay where their connections are: each server hears what is emitted anywhere, and sends it to its own clients.
 *
 * With `connectionStateRecovery`, what is emitted has one order for all: it is sent when it comes back from the bus, by the server that has emitted it as
 * well, and each keeps what has come, and the sessions of clients that have left any of them. So a client may come back to another server.
 *
 * @module
 */
import { Adapter, type BroadcastOptions, ClusterAdapterWithHeartbeat, type ClusterMessage, type Session } from 'socket.io-adapter';
import { whenHandlersAreHere } from '../../process/place/handler-place.ts';
import { Pieces, pack, piecesOf, unpack } from './packing.ts';
import { type History, Recovery, type SessionLeft } from './recovery.ts';

/** Carries messages to all servers that belong together, also back to the one that has sent them, in one order for all. */
export interface Bus {
  publish(bytes: Uint8Array): void;
  subscribe(listener: (bytes: Uint8Array) => void): void;
}

/** A server that is not heard of for `heartbeatTimeout` is no longer waited for, ms: less than the 5 s that a question to all servers may take. */
const HEARTBEATS = { heartbeatInterval: 1000, heartbeatTimeout: 3000 };
/** `MessageType.BROADCAST` of socket.io-adapter: something is emitted. */
const BROADCAST = 3;
/** Types of messages of ours, beside those of socket.io-adapter, which counts from 1. */
const SESSION = 100;
const HISTORY_WANTED = 101;
const HISTORY = 102;

/** A packet of socket.io. */
interface Packet {
  readonly type: number;
  readonly id?: number;
  readonly data?: unknown[];
}

/** `EVENT` of socket.io-parser. */
const EVENT = 2;

/** What is emitted, as it travels. */
interface Emitted {
  readonly packet: Packet;
  readonly opts: { readonly rooms: string[]; readonly except: string[]; readonly flags?: BroadcastOptions['flags'] };
  readonly requestId?: string;
}

/** A message on the bus. */
type Message = { readonly uid: string; readonly nsp: string } & (
  | { readonly type: typeof BROADCAST; readonly data: Emitted; readonly offset?: string }
  | { readonly type: typeof SESSION; readonly data: SessionLeft }
  | { readonly type: typeof HISTORY_WANTED }
  | { readonly type: typeof HISTORY; readonly to: string; readonly data: History }
);

/** What socket.io keeps of its namespace, and its declarations leave out. */
interface NamespaceParts {
  readonly name: string;
  readonly server: { readonly _opts: { readonly connectionStateRecovery?: { readonly maxDisconnectionDuration: number } } };
}

/** What `ClusterAdapterWithHeartbeat` keeps to itself: timers that would hold the process. */
interface Timers {
  heartbeatTimer: NodeJS.Timeout | undefined;
  cleanupTimer: NodeJS.Timeout | undefined;
}

/** Makes the class of the adapters of a server's namespaces. */
export function clusterAdapter(bus: Bus): typeof Adapter {
  const members: Map<string, BusAdapter> = new Map();
  const send = (message: object): void => {
    for (const piece of piecesOf(pack(message))) bus.publish(piece);
  };
  whenHandlersAreHere(() => {
    const pieces = new Pieces();
    bus.subscribe((bytes) => {
      const whole = pieces.take(bytes);
      if (!whole) return;
      const message = unpack(whole) as Message;
      members.get(message.nsp)?.receive(message);
    });
  });
  return class extends BusAdapter {
    constructor(namespace: NamespaceParts) {
      super(namespace, send, members);
    }
  };
}

class BusAdapter extends ClusterAdapterWithHeartbeat {
  readonly #name: string;
  readonly #send: (message: object) => void;
  readonly #members: Map<string, BusAdapter>;
  readonly #recovery: Recovery | undefined;
  #isClosed = false;
  /** How many packets were emitted here. */
  #emitted = 0;

  constructor(namespace: NamespaceParts, send: (message: object) => void, members: Map<string, BusAdapter>) {
    super(namespace, HEARTBEATS);
    this.#timers.cleanupTimer?.unref();
    this.#name = namespace.name;
    this.#send = send;
    this.#members = members;
    const { connectionStateRecovery } = namespace.server._opts;
    this.#recovery = connectionStateRecovery && new Recovery(connectionStateRecovery.maxDisconnectionDuration);
  }

  get #timers(): Timers {
    return this as unknown as Timers;
  }

  override init(): void {
    whenHandlersAreHere(() => {
      if (this.#isClosed) return;
      this.#members.set(this.#name, this);
      super.init();
      if (this.#recovery) this.#say({ type: HISTORY_WANTED });
    });
  }

  override close(): void {
    this.#isClosed = true;
    if (this.#members.get(this.#name) === this) this.#members.delete(this.#name);
    super.close();
  }

  /** Takes a message from the bus. */
  receive(message: Message): void {
    const recovery = this.#recovery;
    if (!recovery) return this.onMessage(message as ClusterMessage);
    switch (message.type) {
      case SESSION:
        return recovery.keepSession(message.data);
      case HISTORY_WANTED:
        if (message.uid !== this.uid) this.#say({ type: HISTORY, to: message.uid, data: recovery.history() });
        return;
      case HISTORY:
        if (message.to === this.uid) recovery.takeHistory(message.data);
        return;
      default:
        if (message.type === BROADCAST && message.offset !== undefined) this.#deliver(recovery, message.data, message.offset);
        else this.onMessage(message as ClusterMessage);
    }
  }

  override async broadcast(packet: Packet, opts: BroadcastOptions): Promise<void> {
    const { flags, rooms, except = [] } = opts;
    // An acknowledgement cannot be kept, and what is volatile need not be.
    const isKept = packet.type === EVENT && packet.id === undefined && flags?.volatile === undefined;
    if (!this.#recovery || flags?.local || !isKept) return super.broadcast(packet, opts);
    const data: Emitted = { packet, opts: { rooms: [...rooms], except: [...except], flags } };
    this.#say({ type: BROADCAST, data, offset: `${this.uid}-${(this.#emitted++).toString(36)}` });
  }

  /** Sends to the clients here what has been emitted anywhere. */
  #deliver(recovery: Recovery, { packet, opts }: Emitted, offset: string): void {
    const { data = [] } = packet;
    data.push(offset); // where clients look for it
    const to: BroadcastOptions = { rooms: new Set(opts.rooms), except: new Set(opts.except), ...(opts.flags && { flags: opts.flags }) };
    recovery.keepPacket(offset, to, data);
    Adapter.prototype.broadcast.call(this, packet, to);
  }

  override persistSession(session: SessionLeft): void {
    this.#say({ type: SESSION, data: session });
  }

  override async restoreSession(pid: string, offset: string): Promise<Session> {
    return (this.#recovery?.restore(pid, offset) ?? null) as Session; // null: there is none, which the declarations leave out
  }

  override publish(message: Parameters<ClusterAdapterWithHeartbeat['publish']>[0]): void {
    super.publish(message);
    this.#timers.heartbeatTimer?.unref();
  }

  protected override async doPublish(message: ClusterMessage): Promise<string> {
    this.#send(message);
    return '';
  }

  protected override async doPublishResponse(_requester: string, response: object): Promise<void> {
    this.#send(response);
  }

  #say(message: object): void {
    this.#send({ ...message, uid: this.uid, nsp: this.#name });
  }
}
