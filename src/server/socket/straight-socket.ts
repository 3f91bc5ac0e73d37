/**
 * Writes small pieces to a connection that was taken over, past its stream: of a message to a thousand websockets the stream would be a fifth of the
 * work.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { StraightWriter } from '../../http/takeover.ts';
import { canWriteDirectly, writeDirectly } from './direct-write.ts';

/** @returns Undefined when a socket can only be written to through its stream. */
export function straightTo(socket: Socket): StraightWriter | undefined {
  return canWriteDirectly(socket) ? new StraightSocket(socket) : undefined;
}

class StraightSocket implements StraightWriter {
  readonly #socket: Socket;
  pending = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): boolean {
    if (this.pending > 0) return false; // what waits in the stream is counted there
    const isAccepted = writeDirectly(this.#socket, bytes, this);
    if (isAccepted === false) this.pending = bytes.length;
    return isAccepted !== undefined;
  }

  onTaken(): void {
    this.pending = 0;
    if (!this.#socket.writableNeedDrain) this.#socket.emit('drain');
  }
}
