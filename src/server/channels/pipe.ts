/**
 * One end of the pipe between a worker and the primary that carries the messages of channels, beside Node's own channel: that one is for words
 * that must not wait behind them, and for the program.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { costOf, HIGH, LOW } from '../../process/channels/hub.ts';
import { countBytes, countFrom, type FrameKind, FrameReader, serializeFrame } from './frames.ts';

/** The descriptor of a worker's end. */
export const CHANNEL_PIPE = 5;

/** Frames of one turn of the event loop leave in writes of about this size, bytes. */
const WRITE_SIZE = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** What comes out of the pipe. */
export interface PipeEvents {
  /** @param taken To be called when more may come. */
  onMessage(name: string, payload: Uint8Array, taken: () => void): void;
  onWant(name: string, isOn: boolean): void;
  onMissed(name: string, count: number): void;
  /** The system has taken so much of what was sent, as `costOf` counts it. */
  onTaken(size: number): void;
  /** The other side is gone. */
  onClose(): void;
}

/** One end. */
export class ChannelPipe {
  readonly #socket: Socket;
  readonly #events: PipeEvents;
  #outbox: Buffer[] = [];
  #outboxSize = 0;
  /** What the messages in the outbox cost. */
  #outboxCost = 0;
  /** Read and not taken, as `costOf` counts it. */
  #untaken = 0;

  constructor(socket: Socket, events: PipeEvents) {
    this.#socket = socket;
    this.#events = events;
    const reader = new FrameReader(this.#onFrame);
    socket.on('data', (bytes: Buffer) => reader.read(bytes));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => events.onClose());
  }

  message(name: string, payload: Uint8Array): void {
    this.#outboxCost += costOf(payload);
    this.#post('message', name, payload);
  }

  want(name: string, isOn: boolean): void {
    this.#post(isOn ? 'want' : 'unwant', name, EMPTY);
  }

  missed(name: string, count: number): void {
    this.#post('missed', name, countBytes(count));
  }

  #post(kind: FrameKind, name: string, payload: Uint8Array): void {
    const frame = serializeFrame(kind, name, payload);
    if (this.#outbox.length === 0) setImmediate(this.#flush);
    this.#outbox.push(frame);
    this.#outboxSize += frame.length;
    if (this.#outboxSize > WRITE_SIZE) this.#write();
  }

  readonly #flush = (): void => {
    if (this.#outbox.length > 0) this.#write();
  };

  #write(): void {
    const bytes = Buffer.concat(this.#outbox, this.#outboxSize);
    const cost = this.#outboxCost;
    this.#outbox = [];
    this.#outboxSize = 0;
    this.#outboxCost = 0;
    if (this.#socket.destroyed) return this.#events.onTaken(cost);
    this.#socket.write(bytes, () => this.#events.onTaken(cost));
  }

  readonly #onFrame = (kind: FrameKind, name: string, payload: Uint8Array): void => {
    if (kind === 'missed') return this.#events.onMissed(name, countFrom(payload));
    if (kind !== 'message') return this.#events.onWant(name, kind === 'want');
    const cost = costOf(payload);
    this.#untaken += cost;
    if (this.#untaken > HIGH) this.#socket.pause();
    this.#events.onMessage(name, payload, () => {
      this.#untaken -= cost;
      if (this.#untaken < LOW && this.#socket.isPaused()) this.#socket.resume();
    });
  };
}
