/** Seeded random connections of HTTP/2: frames that are right, frames with something wrong, and what real clients have sent, mutated. */
import { RECORDINGS } from './http2-recordings.mjs';

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEAD = 9;
const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = Array.from(
  { length: 10 },
  (_, type) => type,
);
const PRIORITY_UPDATE = 16;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;
const HAS_PRIORITY = 32;

const pick = (random, list) => list[Math.floor(random() * list.length)];
const below = (random, count) => Math.floor(random() * count);
const bytesOf = (random, count) => Buffer.from(Array.from({ length: count }, () => below(random, 256)));

const METHODS = ['GET', 'GET', 'POST', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE', 'CONNECT', 'get', 'M-SEARCH', 'G T', ''];
const PATHS = ['/', '/a/b?c=d', '/%41%2f', '*', '/a#b', '//x', 'a', '', 'http://h/x', `/${'x'.repeat(300)}`, '/\xe9', '/a b', '/%'];
const SCHEMES = ['http', 'http', 'http', 'https', 'ftp', ''];
const AUTHORITIES = ['a', 'a', 'a:80', '', 'a b', 'me@a', '[::1]:8000'];
const FIELDS = [
  ['accept', '*/*'],
  ['cookie', 'a=b'],
  ['cookie', 'c=d'],
  ['x', 'y'],
  ['x-long', 'v'.repeat(200)],
  ['te', 'trailers'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['keep-alive', 'x'],
  ['proxy-connection', 'x'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['host', 'a'],
  ['host', 'b'],
  ['expect', '100-continue'],
  ['expect', 'x'],
  ['X-Up', 'y'],
  ['x y', 'z'],
  ['', 'empty'],
  ['x', ' padded '],
  ['x', 'a\nb'],
  ['x', 'a\0b'],
  ['x', '\xe9'],
  ['x', ''],
  ['priority', 'u=1, i'],
  ['content-length', '5'],
  ['content-length', '5'],
  ['content-length', '0'],
  ['content-length', '+5'],
  ['content-length', '5, 5'],
  [':path', '/twice'],
  [':status', '200'],
  [':protocol', 'websocket'],
  [':unknown', 'x'],
];

/** One frame. */
export function frameOf(type, flags, id, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** A field as a literal, with indexing or without (RFC 7541 §6.2). */
function literal(name, value, isIndexed) {
  return Buffer.concat([Buffer.of(isIndexed ? 0x40 : 0), stringOf(name), stringOf(value)]);
}

function stringOf(text) {
  const bytes = Buffer.from(text, 'latin1');
  const { length } = bytes;
  if (length < 127) return Buffer.concat([Buffer.of(length), bytes]);
  return Buffer.concat([Buffer.of(127, ((length - 127) & 127) | 128, (length - 127) >> 7), bytes]);
}

/** The fields of a request: one that is right, with a little wrong now and then. */
export function requestFieldsOf(random) {
  const isOdd = random() < 0.4;
  const pseudo = [
    [':method', isOdd ? pick(random, METHODS) : pick(random, ['GET', 'POST'])],
    [':scheme', isOdd ? pick(random, SCHEMES) : 'http'],
    [':path', isOdd ? pick(random, PATHS) : '/a/b?c=d'],
    [':authority', isOdd ? pick(random, AUTHORITIES) : 'a'],
  ];
  if (isOdd && random() < 0.2) pseudo.splice(below(random, 4), 1);
  const fields = Array.from({ length: below(random, isOdd ? 5 : 3) }, () =>
    isOdd ? pick(random, FIELDS) : pick(random, FIELDS.slice(0, 5)),
  );
  const all = [...pseudo, ...fields];
  if (isOdd && random() < 0.1) [all[0], all[all.length - 1]] = [all.at(-1), all[0]];
  return all;
}

export function blockOf(fields, random) {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value, random() < 0.5)));
}

/** HEADERS, whole or in pieces, with padding and a priority or without. */
export function headersOf(random, id, block, isLast) {
  let payload = block;
  let flags = isLast ? END_STREAM : 0;
  if (random() < 0.1) {
    flags |= HAS_PRIORITY;
    payload = Buffer.concat([bytesOf(random, 5), payload]);
  }
  const cut = random() < 0.2 ? below(random, payload.length + 1) : payload.length;
  const rest = payload.subarray(cut);
  payload = payload.subarray(0, cut);
  if (random() < 0.1) {
    flags |= PADDED;
    const count = below(random, 9);
    payload = Buffer.concat([Buffer.of(count), payload, Buffer.alloc(count)]);
  }
  if (rest.length === 0) return [frameOf(HEADERS, flags | END_HEADERS, id, payload)];
  return [frameOf(HEADERS, flags, id, payload), frameOf(CONTINUATION, END_HEADERS, id, rest)];
}

export function dataOf(random, id, text, isLast) {
  const bytes = Buffer.from(text);
  if (random() > 0.1) return frameOf(DATA, isLast ? END_STREAM : 0, id, bytes);
  const count = below(random, 9);
  return frameOf(DATA, PADDED | (isLast ? END_STREAM : 0), id, Buffer.concat([Buffer.of(count), bytes, Buffer.alloc(count)]));
}

/** A frame of the connection, or one that means nothing. */
function controlOf(random, id) {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(pick(random, [0, 1, 1, 8, 1000, 65_535, 2 ** 31 - 1, 2 ** 32 - 1]));
  switch (below(random, 12)) {
    case 0:
      return frameOf(PING, 0, 0, Buffer.alloc(8));
    case 1: {
      const setting = Buffer.concat([Buffer.of(0, below(random, 10)), number]);
      return frameOf(SETTINGS, 0, 0, random() < 0.5 ? setting : Buffer.alloc(0));
    }
    case 2:
      return frameOf(SETTINGS, 1, 0);
    case 3:
      return frameOf(WINDOW_UPDATE, 0, 0, number);
    case 4:
    case 5:
      return frameOf(WINDOW_UPDATE, 0, id, number);
    case 6:
      return frameOf(PRIORITY, 0, id, Buffer.concat([number, Buffer.of(1)]));
    case 7:
    case 8:
      return frameOf(RST_STREAM, 0, id, number);
    case 9:
      return frameOf(PRIORITY_UPDATE, 0, 0, Buffer.concat([number, Buffer.from('u=1, i')]));
    case 10:
      return random() < 0.2 ? frameOf(GOAWAY, 0, 0, Buffer.alloc(8)) : frameOf(0x77, below(random, 256), id, bytesOf(random, 3));
    default:
      return random() < 0.1 ? frameOf(PUSH_PROMISE, END_HEADERS, id, number) : frameOf(PING, 1, 0, Buffer.alloc(8));
  }
}

/** The frames of a connection behind its preface: some requests, woven into each other. */
export function framesOf(random) {
  const frames = [frameOf(SETTINGS, 0, 0)];
  const streams = [];
  for (let id = 1, count = 1 + below(random, 5); count > 0; count--, id += random() < 0.95 ? 2 : below(random, 9)) {
    const own = [];
    const body = random() < 0.5 ? pick(random, [['hello'], ['he', 'llo'], [''], ['hello', '!'], ['x'.repeat(3000)]]) : undefined;
    own.push(...headersOf(random, id, blockOf(requestFieldsOf(random), random), body === undefined && random() < 0.95));
    for (const [i, piece] of (body ?? []).entries()) own.push(dataOf(random, id, piece, i === body.length - 1 && random() < 0.9));
    if (random() < 0.1) own.push(...headersOf(random, id, blockOf([pick(random, FIELDS)], random), true));
    if (random() < 0.3) own.splice(1 + below(random, own.length), 0, controlOf(random, id));
    streams.push(own);
  }
  while (streams.length > 0) {
    // HEADERS of a stream before those of a higher one, mostly; else any order
    const at = random() < 0.8 ? 0 : below(random, streams.length);
    const own = streams[at];
    frames.push(own.shift());
    if (own.length === 0) streams.splice(at, 1);
  }
  return frames;
}

/** Something done to the frames, or to their bytes. */
function mutated(frames, random) {
  for (let times = below(random, 3); times > 0 && frames.length > 0; times--) {
    const at = below(random, frames.length);
    const one = Buffer.from(frames[at]);
    switch (below(random, 7)) {
      case 0:
        frames.splice(at, 1);
        break;
      case 1:
        frames.splice(at, 0, one);
        break;
      case 2:
        frames.splice(at, 1, frames[below(random, frames.length)]);
        break;
      case 3:
        one[below(random, one.length)] ^= 1 << below(random, 8);
        frames[at] = one;
        break;
      case 4:
        one[pick(random, [2, 3, 4, 8])] = below(random, 256); // length, type, flags, stream
        frames[at] = one;
        break;
      case 5:
        frames[at] = one.subarray(0, below(random, one.length));
        break;
      default:
        frames[at] = Buffer.concat([one, bytesOf(random, below(random, 20))]);
    }
  }
  return frames;
}

/** A recording, cut into its frames. */
function recordingOf(random) {
  const bytes = Buffer.from(pick(random, Object.values(RECORDINGS)).join(''), 'base64');
  const frames = [];
  for (let at = PREFACE.length; at + FRAME_HEAD <= bytes.length; ) {
    const end = at + FRAME_HEAD + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

/** The bytes of a connection. */
export function connectionOf(random) {
  const kind = random();
  if (kind < 0.02) return bytesOf(random, below(random, 100));
  if (kind < 0.04) return Buffer.concat([PREFACE, bytesOf(random, below(random, 200))]);
  const frames = mutated(kind < 0.3 ? recordingOf(random) : framesOf(random), random);
  return Buffer.concat([PREFACE, ...frames]);
}

/** Places to cut so many bytes at. */
export function cutsOf(length, random) {
  return Array.from({ length: 1 + below(random, 4) }, () => below(random, length + 1)).toSorted((a, b) => a - b);
}

/**
 * The frames of a connection whose framing is right, for comparisons of what its requests mean.
 *
 * @returns The frames behind the preface, and its requests: number, fields, the body as it is framed, and the trailers.
 */
export function conversationOf(random) {
  const frames = [frameOf(SETTINGS, 0, 0)];
  const streams = [];
  for (let id = 1, count = 1 + below(random, 4); count > 0; count--, id += 2) {
    const fields = [...requestFieldsOf(random), ['x-id', String(id)]];
    const body = random() < 0.5 ? pick(random, ['hello', '', 'hello!', 'x'.repeat(3000)]) : undefined;
    const trailers = body !== undefined && random() < 0.15 ? [pick(random, FIELDS)] : undefined;
    frames.push(...headersOf(random, id, blockOf(fields, random), body === undefined));
    if (body !== undefined) {
      const cut = below(random, body.length + 1);
      if (random() < 0.3) frames.push(dataOf(random, id, body.slice(0, cut), false), dataOf(random, id, body.slice(cut), !trailers));
      else frames.push(dataOf(random, id, body, !trailers));
    }
    if (trailers) frames.push(...headersOf(random, id, blockOf(trailers, random), true));
    streams.push({ id, fields, body, trailers });
  }
  return { frames, streams };
}
