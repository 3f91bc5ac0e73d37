/**
 * A connection within the process: at one end the socket that a handler of node:http sees, at the other a stream for a client of node:http.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import type { Request } from '../../http/request.ts';
import type { StraightWriter } from '../../http/takeover.ts';
import { ClientSocket, type Taken } from './socket.ts';

/** The end at which a handler reads and writes. */
export class PairedSocket extends ClientSocket {
  readonly near: Duplex;
  /** Takes what is written past the near end, as long as nothing waits there: of a message to a thousand clients that would be a seventh of the work. */
  straight: StraightWriter | undefined;
  /** Ends a write of the near end. */
  #taken: Taken | undefined;
  /** Ends a write of this end. */
  #given: Taken | undefined;

  constructor(request: Request) {
    super(request);
    this.near = new Duplex({
      read: () => {
        const given = this.#given;
        this.#given = undefined;
        given?.();
      },
      write: (piece: Buffer, _encoding, taken) => {
        if (this.destroyed) return taken();
        this.bytesRead += piece.length;
        this.#taken = taken;
        this.push(piece);
      },
      final: (done) => {
        this.push(null);
        done();
      },
      destroy: (error, done) => {
        this.destroy();
        done(error);
      },
    });
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(piece: Buffer | string, encoding: BufferEncoding, given: Taken): void {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, encoding) : piece;
    if (bytes.length === 0 || this.near.destroyed) return given();
    this.bytesWritten += bytes.length;
    if (this.straight && this.near.readableFlowing && this.near.readableLength === 0 && this.straight.write(bytes)) return given();
    const hasRoom = this.near.push(bytes);
    if (hasRoom) given();
    else this.#given = given; // with room, it is on its way, as in the buffer of a socket
  }

  override _writev(pieces: readonly { chunk: Buffer | string; encoding: BufferEncoding }[], given: Taken): void {
    const bytes = pieces.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk));
    this._write(Buffer.concat(bytes), 'latin1', given);
  }

  override _final(done: Taken): void {
    if (!this.near.destroyed) this.near.push(null);
    done();
  }

  /** What has been written still arrives, as from a socket of the system; then the near end sees that no more comes. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    if (!this.near.destroyed && !this.writableFinished) this.near.push(null);
    super._destroy(error, done);
  }
}
