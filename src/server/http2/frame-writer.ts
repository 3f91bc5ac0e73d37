/**
 * The writing half of an HTTP/2 connection: gives the socket what the session has to send, as the socket takes it.
 *
 * All that one read has brought about leaves in one write. Bodies are framed only as the socket has room: until then they wait where they are.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { FrameMemory } from '../../h2/frames.ts';
import type { Session } from '../../h2/session.ts';
import { canWriteDirectly, writeDirectly } from '../socket/direct-write.ts';
import { type OutNotice, tellOut } from '../socket/out-notices.ts';
import { Uptake } from '../socket/uptake.ts';

/** Most bytes of bodies that are framed for one write. */
const ROOM: number = 64 * 1024;
/** More gathered frames than this are written before the next request is looked at. */
const FULL: number = 256 * 1024;

/** The memory in which all connections gather their frames. What the system has accepted is used again. */
export const MEMORY: FrameMemory = new FrameMemory();

/** Writes what a session has to send. */
export class FrameWriter<X> {
  readonly #socket: Socket;
  readonly #session: Session<X>;
  readonly #uptake: Uptake;
  readonly #isDirect: boolean;
  /** The socket is full until its 'drain' event. Kept here, since asking the socket is slow. */
  #isBlocked = false;
  /** What it is full of, if that can be used again afterwards: under TLS nothing is accepted at once. */
  #last: Buffer | undefined;
  /** Bytes written past the stream that the system has not accepted yet. */
  #pending = 0;
  #isFlushing = false;
  /** Told when what was framed before is out. */
  #notices: OutNotice[] | undefined;

  /** @param timeout How long the client may go without reading anything, ms. */
  constructor(socket: Socket, session: Session<X>, timeout: number) {
    this.#socket = socket;
    this.#session = session;
    this.#uptake = new Uptake(socket, timeout);
    this.#isDirect = canWriteDirectly(socket);
  }

  /** Whether the socket takes nothing now. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether so much has been gathered that it must be written before more comes of it. */
  get isFull(): boolean {
    return this.#session.pending > FULL;
  }

  /** Whether the system has accepted all that was written. Unknown under TLS, which sends a message of its own at the end. */
  get isOut(): boolean {
    return this.#isDirect && this.#pending === 0 && this.#socket.writableLength === 0;
  }

  /** Writes what may be sent now, as far as the socket takes it. */
  flush(): void {
    if (this.#isFlushing) return; // bodies are given to the session while it is taken from
    this.#isFlushing = true;
    while (!this.#isBlocked && this.#socket.writable) {
      const frames = this.#session.take(ROOM);
      if (frames.length === 0) break;
      this.#write(frames);
    }
    this.#session.keep();
    this.#isFlushing = false;
    if (this.#notices && this.#session.pending === 0) this.#tell();
  }

  /** Tells somebody when all that is framed so far is out, or never will be. */
  whenOut(notice: OutNotice): void {
    this.#notices ??= [];
    this.#notices.push(notice);
  }

  /** The connection is gone. */
  close(): void {
    if (this.#notices) this.#tell();
  }

  /** Called when what was written past the stream is out: as if the stream had drained. */
  onTaken(): void {
    this.#pending = 0; // one at a time: until then all goes to the stream
    if (!this.#socket.writableNeedDrain) this.#socket.emit('drain');
  }

  /** The socket can be written to again. */
  onDrain(): void {
    this.#isBlocked = false;
    if (this.#last) MEMORY.giveBack(this.#last);
    this.#last = undefined;
  }

  /** Whether the client has read nothing for too long. Called at each tick. */
  isStuck(now: number): boolean {
    return this.#uptake.isStuck(now, this.#pending);
  }

  #tell(): void {
    const notices = this.#notices ?? [];
    this.#notices = undefined;
    tellOut(this.#socket, notices, this.isOut);
  }

  #write(frames: Buffer): void {
    const isTaken = this.#isDirect && this.#pending === 0 ? writeDirectly(this.#socket, frames, this) : undefined;
    if (isTaken === true) return MEMORY.giveBack(frames);
    if (isTaken === false) {
      this.#pending += frames.length;
      this.#isBlocked = true;
    } else if (!this.#socket.write(frames)) this.#isBlocked = true;
    if (this.#isBlocked && MEMORY.isReusable(frames)) this.#last = frames;
  }
}
