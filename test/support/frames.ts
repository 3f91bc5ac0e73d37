/**
 * Websocket frames by hand (RFC 6455 §5.2), for tests that say exactly what is on the wire.
 */

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CONTINUATION = 0x0;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** What a frame may be besides its opcode and payload. */
export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean;
  /** Default true, as a client must. */
  readonly masked?: boolean;
  /** The three reserved bits, default 0. */
  readonly reserved?: number;
  /** Announced instead of the true length. */
  readonly length?: bigint;
}

/** A frame as a client sends it. */
export function frame(opcode: number, payload: string | Uint8Array = '', options: FrameOptions = {}): Buffer {
  const { fin = true, masked = true, reserved = 0, length } = options;
  const data = Buffer.from(payload);
  const announced = length ?? BigInt(data.length);
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode, masked ? 0x80 : 0];
  if (announced < 126n) head[1] = (head[1] ?? 0) | Number(announced);
  else if (announced < 65_536n) head[1] = (head[1] ?? 0) | 126;
  else head[1] = (head[1] ?? 0) | 127;
  const size = announced < 126n ? 0 : announced < 65_536n ? 2 : 8;
  const extended = Buffer.alloc(8);
  extended.writeBigUInt64BE(announced);
  const mask = Buffer.from(masked ? [0x12, 0x34, 0x56, 0x78] : []);
  const body = masked ? data.map((byte, i) => byte ^ (mask[i % 4] ?? 0)) : data;
  return Buffer.concat([Buffer.from(head), extended.subarray(8 - size), mask, body]);
}

/** A close frame with a code. */
export function closeFrame(code: number, reason: string | Uint8Array = ''): Buffer {
  return frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
}

/** A frame as a server sends it. */
export interface SeenFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Buffer;
}

/** The complete frames at the start of some bytes (one character a byte). */
export function parseFrames(text: string): SeenFrame[] {
  const bytes = Buffer.from(text, 'latin1');
  const frames: SeenFrame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const first = bytes[at] ?? 0;
    const short = bytes[at + 1] ?? 0;
    if (short & 0x80) throw new Error('A server must not mask its frames (RFC 6455 §5.1)');
    const size = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + size > bytes.length) break;
    const length = size === 0 ? short : size === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const end = at + 2 + size + length;
    if (end > bytes.length) break;
    frames.push({ opcode: first & 0xf, fin: (first & 0x80) !== 0, payload: bytes.subarray(at + 2 + size, end) });
    at = end;
  }
  return frames;
}
