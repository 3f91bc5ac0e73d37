/**
 * The writing half of an HTTP/1.1 connection: answers are gathered and sent together.
 *
 * Text of one byte per character is gathered in a string, so that all the answers to one read (pipelining) leave in one write.
 * Bodies of any size go out in pieces, each when the socket has accepted the one before: a slow reader costs one piece, not a whole body.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { CHUNK_NUDGE, chunkHead, LAST_CHUNK } from '../../h1/serializer.ts';
import type { CheckedPieces } from '../../http/body/body-source.ts';
import { READ_SIZE } from '../../process/large-buffers.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { PIECE, pieceEnd, pieceOf, textStep } from '../connection/memory-pieces.ts';
import { canWriteDirectly, writeDirectly } from '../socket/direct-write.ts';
import { type OutNotice, tellOut } from '../socket/out-notices.ts';
import { Uptake } from '../socket/uptake.ts';

/** More gathered text than this is written before the next answer is made. */
const FULL = 256 * 1024;

/** Sends the responses of one connection, in the order in which they are passed to it. */
export class ResponseWriter {
  readonly #socket: Socket;
  readonly #uptake: Uptake;
  readonly #isDirect: boolean;
  /**
   * Longest piece of a body that leaves in one write: a read of a large file. To write that in four took a tenth more of the processor. Under TLS it
   * is written in four, since there nothing tells how much of a write a slow client has taken.
   */
  readonly #whole: number;
  #gathered = '';
  /** The socket is full until its 'drain' event. Kept here, since asking the socket is slow. */
  #isBlocked = false;
  /** Bytes written past the stream that the system has not accepted yet. */
  #pending = 0;
  /** Wakes a body that waits until the socket takes more. Made with the first that is sent in pieces. */
  #room: WakeUp | undefined;
  /** The body that is being sent, whether it is chunked, and whether a piece of it is on its way out. */
  #pieces: CheckedPieces | undefined;
  #isChunked = false;
  #isWriting = false;
  /** Told when what was gathered before is out. */
  #notices: OutNotice[] | undefined;
  /** Bytes of the body in memory that goes, or went last, in pieces. */
  bytes = 0;

  /** @param timeout How long the client may go without reading anything, ms. */
  constructor(socket: Socket, timeout: number) {
    this.#socket = socket;
    this.#uptake = new Uptake(socket, timeout);
    this.#isDirect = canWriteDirectly(socket);
    this.#whole = this.#isDirect ? READ_SIZE : PIECE;
  }

  /** Whether the client must read something before more is produced for it. */
  get isFull(): boolean {
    return this.#isBlocked || this.#gathered.length > FULL;
  }

  /**
   * Whether the system has accepted all that was written, so that it can end the connection after it. Unknown under TLS, which sends a
   * message of its own at the end.
   */
  get isOut(): boolean {
    return this.#isDirect && this.#pending === 0 && this.#socket.writableLength === 0;
  }

  /** Whether all that a body has given is out, and its source has nothing more for now. */
  get isResting(): boolean {
    return this.#pieces !== undefined && !this.#isWriting && this.#socket.writableLength + this.#pending === 0;
  }

  /** Writes a byte that means nothing, where a chunked body rests. @returns Whether it does. */
  nudge(): boolean {
    if (!this.isResting || !this.#isChunked) return false;
    this.#socket.write(CHUNK_NUDGE);
    return true;
  }

  /** Gathers text of one byte per character. */
  gather(text: string): void {
    this.#gathered += text;
  }

  /** Tells somebody when all that was gathered or written so far is out, or never will be. */
  whenOut(notice: OutNotice): void {
    this.#notices ??= [];
    this.#notices.push(notice);
  }

  /** Writes what has been gathered. */
  flush(): void {
    this.#flush();
    if (this.#notices) this.#tell();
  }

  #flush(): void {
    if (this.#gathered === '') return;
    const text = this.#gathered;
    this.#gathered = '';
    const isTaken = this.#isDirect && this.#pending === 0 ? writeDirectly(this.#socket, text, this) : undefined;
    if (isTaken === true) return;
    if (isTaken === false) {
      this.#pending += text.length;
      this.#isBlocked = true;
    } else if (this.#socket.writable && !this.#socket.write(text, 'latin1')) this.#isBlocked = true;
  }

  /** Called when what was written past the stream is out: as if the stream had drained. */
  onTaken(): void {
    this.#pending = 0; // one at a time: until then all goes to the stream
    if (!this.#socket.writableNeedDrain) this.#socket.emit('drain');
  }

  /** The socket can be written to again. */
  onDrain(): void {
    this.#isBlocked = false;
    this.#room?.wake();
  }

  /** Gathers bytes of a small body. */
  gatherBytes(bytes: Uint8Array): void {
    this.#gathered += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }

  /** Sends a large body that is in memory. @returns Whether all of it went out. */
  sendBytes(bytes: Uint8Array): Promise<boolean> {
    return this.#sendWhole(bytes, PIECE);
  }

  /**
   * Sends a large text.
   *
   * @param size Its bytes as UTF-8.
   * @returns Whether all of it went out.
   */
  sendText(text: string, size: number): Promise<boolean> {
    return this.#sendWhole(text, textStep(text, size));
  }

  /**
   * Sends a body while it is produced.
   *
   * @param isChunked Whether it is chunked; if not, it has the announced length, or ends with the connection.
   * @returns Whether all of it went out. If not, the connection must be cut: an incomplete body must never look complete.
   * @throws What the pieces throw.
   */
  async sendPieces(pieces: CheckedPieces, isChunked: boolean): Promise<boolean> {
    this.flush();
    this.#pieces = pieces;
    this.#isChunked = isChunked;
    this.#isWriting = false;
    pieces.recycle(true);
    try {
      for (let step = await pieces.next(); !step.done; step = await pieces.next()) {
        if (step.value.length === 0) continue;
        this.#isWriting = true;
        if (!(await this.#writePiece(step.value, isChunked))) this.drop();
        this.#isWriting = false;
        pieces.recycle(this.#socket.writableLength === 0);
      }
    } catch (error) {
      if (this.#pieces === undefined) return false; // the client has left, and the source has been dropped
      this.#pieces = undefined;
      await this.#written(); // the client gets what there is
      throw error;
    }
    if (this.#pieces === undefined) return false;
    this.#pieces = undefined;
    if (isChunked) this.#gathered += LAST_CHUNK;
    return this.#socket.writable;
  }

  /** Releases the body that is being sent. */
  drop(): void {
    const pieces = this.#pieces;
    this.#pieces = undefined;
    pieces?.drop();
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

  /** Wakes those that wait: the connection is gone. */
  close(): void {
    this.#gathered = '';
    if (this.#notices) this.#tell();
    this.drop();
    this.#room?.wake();
  }

  /** @param step Bytes, or UTF-16 units of a text, that are written at a time. */
  async #sendWhole(body: string | Uint8Array, step: number): Promise<boolean> {
    this.bytes = 0;
    this.#socket.cork(); // the head and the first piece leave in one write
    this.flush();
    let at = pieceEnd(body, 0, step);
    const first = this.#write(pieceOf(body, 0, at));
    this.#socket.uncork();
    let isOpen = await first;
    while (isOpen && at < body.length) {
      const end = pieceEnd(body, at, step);
      isOpen = await this.#write(pieceOf(body, at, end));
      at = end;
    }
    return isOpen;
  }

  async #writePiece(piece: Uint8Array, isChunked: boolean): Promise<boolean> {
    if (!isChunked) return piece.length <= this.#whole ? this.#write(piece) : this.sendBytes(piece);
    this.#socket.cork();
    this.#socket.write(chunkHead(piece.length), 'latin1');
    const isTaken = piece.length <= PIECE ? this.#socket.write(piece) : await this.#writeLong(piece);
    this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return isTaken || this.#drained();
  }

  /** Writes a long chunk, whose head must not stay corked until all of it has been written. */
  async #writeLong(piece: Uint8Array): Promise<boolean> {
    this.#socket.uncork();
    const isWhole = await this.sendBytes(piece);
    this.#socket.cork();
    return isWhole;
  }

  async #write(bytes: Uint8Array): Promise<boolean> {
    if (!this.#socket.writable) return false;
    this.bytes += bytes.length;
    return this.#socket.write(bytes) || this.#drained();
  }

  /** Waits until all writes are out, or never will be. */
  #written(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.writable) this.#socket.write('', () => resolve());
      else resolve();
    });
  }

  /** Waits until the socket has drained. @returns Whether it can still be written to. */
  async #drained(): Promise<boolean> {
    if (this.#socket.writableNeedDrain && this.#socket.writable) {
      this.#room ??= new WakeUp();
      await this.#room.wait();
    }
    return this.#socket.writable;
  }
}
