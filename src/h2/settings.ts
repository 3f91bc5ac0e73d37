/**
 * Settings: ours, and what the client says of itself (RFC 9113 §6.5.2).
 *
 * @module
 */

import type { HeadLimits } from '../http/request/head-limits.ts';
import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from './errors.ts';
import { MAX_31_BITS, MAX_PAYLOAD, read32 } from './frames.ts';
import type { HeaderLimits } from './hpack/decoder.ts';
import { FIELD_OVERHEAD } from './hpack/header-table.ts';
import { FIRST_WINDOW } from './streams/stream.ts';

const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;
const MAX_HEADER_LIST_SIZE = 0x6;
/** RFC 8441 §3. */
const ENABLE_CONNECT_PROTOCOL = 0x8;
/** RFC 9218 §2.1. */
const NO_RFC7540_PRIORITIES = 0x9;

/** Octets of one setting. */
const SETTING = 6;
/** More in one frame are not settings: six are defined for clients. */
const MAX_SETTINGS = 32;

/** What all requests of a connection together may have on their way, bytes: each is bounded by the window of its own stream. */
export const CONNECTION_WINDOW: number = 1024 * 1024;

/** What a session accepts. */
export interface SessionLimits extends HeadLimits {
  /** Streams of a connection whose exchanges are not over. */
  readonly maxConcurrentStreams: number;
}

/** Pseudo-header fields of a request. */
const PSEUDO_FIELDS = 5;

/** The bounds on a header block that let through whatever the limits allow. They judge it again when it is taken apart. */
export function blockLimits({ maxRequestLine, maxHeaderSize, maxHeaders }: HeadLimits): HeaderLimits {
  const maxFields = 2 * maxHeaders + PSEUDO_FIELDS; // a cookie may come in pieces
  return { maxFields, maxListSize: maxRequestLine + maxHeaderSize + FIELD_OVERHEAD * maxFields };
}

/** What we tell the client of us. Everything else is as RFC 9113 has it. */
export function ownSettings(limits: SessionLimits): number[] {
  return [
    MAX_CONCURRENT_STREAMS,
    limits.maxConcurrentStreams,
    MAX_HEADER_LIST_SIZE,
    blockLimits(limits).maxListSize,
    ENABLE_CONNECT_PROTOCOL,
    1,
    NO_RFC7540_PRIORITIES,
    1,
  ];
}

/** What the client has told. */
export class PeerSettings {
  /** What a new stream may send before the client gives it more, bytes. */
  initialWindow: number = FIRST_WINDOW;
  /** Largest payload that the client takes, bytes. */
  maxPayload: number = MAX_PAYLOAD;

  /**
   * Takes what a frame says. What is unknown is ignored (§6.5.2).
   *
   * @throws ConnectionError.
   */
  read(payload: Uint8Array, start: number, end: number): void {
    const count = (end - start) / SETTING;
    if (!Number.isInteger(count)) throw new ConnectionError(FRAME_SIZE_ERROR, 'SETTINGS has no whole number of settings');
    if (count > MAX_SETTINGS) throw new ConnectionError(PROTOCOL_ERROR, 'SETTINGS has too many settings');
    for (let at = start; at < end; at += SETTING) {
      this.#set(((payload[at] as number) << 8) | (payload[at + 1] as number), read32(payload, at + 2)); // at + 5 < end
    }
  }

  #set(setting: number, value: number): void {
    switch (setting) {
      case ENABLE_PUSH:
      case ENABLE_CONNECT_PROTOCOL:
      case NO_RFC7540_PRIORITIES:
        if (value > 1) throw new ConnectionError(PROTOCOL_ERROR, `Setting ${setting} is neither 0 nor 1`);
        return;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_31_BITS) throw new ConnectionError(FLOW_CONTROL_ERROR, 'SETTINGS_INITIAL_WINDOW_SIZE is too large');
        this.initialWindow = value;
        return;
      case MAX_FRAME_SIZE:
        if (value < MAX_PAYLOAD || value > 2 ** 24 - 1) throw new ConnectionError(PROTOCOL_ERROR, 'A frame size is out of range');
        this.maxPayload = value;
        return;
      default: // HEADER_TABLE_SIZE: our blocks use no table. The rest concerns what we do not send.
    }
  }
}
