/** Frames of HTTP/2 by hand (RFC 9113 §4.1), and what a server sends taken apart again. */

import { HeaderDecoder } from '../../src/h2/hpack/decoder.ts';
import { encodeHeaders, headersRoom } from '../../src/h2/hpack/encoder.ts';

export const TYPES = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  PRIORITY_UPDATE: 16,
} as const;
export type TypeName = keyof typeof TYPES;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY_FLAG = 0x20;

const MAX_PAYLOAD = 16_384;

export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
] as const;

/** A frame as bytes. */
export function frame(type: TypeName | number, flags: number, id: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload as string);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = typeof type === 'number' ? type : TYPES[type];
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** SETTINGS with pairs of identifier and value. */
export function settings(...pairs: [id: number, value: number][]): Buffer {
  const payload = pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id]), number(value)]));
  return frame('SETTINGS', 0, 0, Buffer.concat(payload));
}

/** What a client begins with: preface and empty settings. */
export const HELLO: Buffer = Buffer.concat([PREFACE, settings()]);

export type Fields = readonly (readonly [name: string, value: string])[];

/** The header block of some fields. */
export function block(fields: Fields): Buffer {
  const flat = fields.flat();
  const bytes = Buffer.alloc(headersRoom(flat));
  return bytes.subarray(0, encodeHeaders(flat, bytes, 0));
}

/** The pseudo-header fields of a request, and others behind them. */
export function request(method = 'GET', path = '/', ...others: Fields): Fields {
  return [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'localhost'], ...others];
}

/** HEADERS that opens a request, with as many CONTINUATION frames as it takes. */
export function headers(id: number, fields: Fields = request(), flags: number = END_STREAM): Buffer {
  const bytes = block(fields);
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_PAYLOAD) {
    const isLast = at + MAX_PAYLOAD >= bytes.length ? END_HEADERS : 0;
    const piece = bytes.subarray(at, at + MAX_PAYLOAD);
    frames.push(at === 0 ? frame('HEADERS', isLast | flags, id, piece) : frame('CONTINUATION', isLast, id, piece));
  }
  return Buffer.concat(frames);
}

export function data(id: number, bytes: Uint8Array | string, flags: number = 0): Buffer {
  return frame('DATA', flags, id, bytes);
}

/** A frame that came. */
export interface Frame {
  readonly type: TypeName | number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
  /** Of HEADERS: its fields. */
  readonly fields?: Fields;
  /** Of RST_STREAM and GOAWAY. */
  readonly code?: (typeof CODES)[number] | number;
}

/** Takes what comes apart. */
export class FrameParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #decoder: HeaderDecoder = new HeaderDecoder(4096);

  push(bytes: Uint8Array): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) break;
      frames.push(this.#parse(this.#rest.subarray(0, 9 + length)));
      this.#rest = this.#rest.subarray(9 + length);
    }
    return frames;
  }

  #parse(bytes: Buffer): Frame {
    const known = Object.entries(TYPES).find(([, value]) => value === bytes[3]);
    const type = (known?.[0] as TypeName | undefined) ?? (bytes[3] as number);
    const parsed = { type, flags: bytes[4] as number, id: bytes.readUInt32BE(5), payload: bytes.subarray(9) };
    if (type === 'HEADERS') return { ...parsed, fields: this.#fieldsOf(parsed.payload) };
    if (type === 'RST_STREAM') return { ...parsed, code: codeOf(parsed.payload.readUInt32BE(0)) };
    if (type === 'GOAWAY') return { ...parsed, code: codeOf(parsed.payload.readUInt32BE(4)) };
    return parsed;
  }

  #fieldsOf(payload: Buffer): Fields {
    const { fields } = this.#decoder.decode(payload, 0, payload.length, { maxListSize: 1e6, maxFields: 1e4 });
    const pairs: [string, string][] = [];
    for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] as string, fields[i + 1] as string]);
    return pairs;
  }
}

function codeOf(value: number): (typeof CODES)[number] | number {
  return CODES[value] ?? value;
}
