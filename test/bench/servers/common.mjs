/**
 * What the servers of this folder share: they answer the same routes, take what they need from the environment, and print their port.
 *
 *     /            plain text            /static/page.html  a file of 32 KiB
 *     /json        JSON                  /text              1 MiB of text, compressed when the client wants it
 *     /echo        POST: the body        /api/r{0–99}/{id}  the route's number and the id
 *     /form        POST: a form's fields    /static/file{1,16}.bin  files of 1 and 16 MiB, and ranges of them
 *     /upload      POST: a form's files, the sum of their sizes
 *     /fields      POST: 20 fields of a multipart form, the sum of their lengths
 *     /login       POST: a form's name; the session begins      /page   a catalogue; the session is opened, changed and saved
 *     /up/…        what the server behind answers
 *     /large       64 KiB of bytes       /heap              how much of V8's heap is in use, after a collection
 *     /stream      1 MiB, generated in pieces of 16 KiB     /echo-socket       a websocket that sends each message back
 *
 * `/large` and `/heap` are asked over HTTP/2, and of the server behind; `/stream` and `/echo-socket` where handler threads are measured.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeText } from '../content.mjs';

export { FIELD_NAMES, HELLO, ITEMS, JSON_VALUE, LARGE, makeStream, ROUTES, TEMPLATE } from '../content.mjs';

/** The origin of the server behind, where there is one. */
export const UPSTREAM = process.env['BENCH_UPSTREAM'];

/** Of sessions. */
export const SECRET = 'a secret of 32 bytes for sessions';

/** Where the static file and the certificate lie. */
export const FILES = process.env['BENCH_FILES'] ?? '.build/bench';
export const ROOT = join(FILES, 'static');
export const TEXT = makeText();

/** Certificate and key where TLS is wanted. */
export const TLS = process.env['BENCH_TLS'] === '1' ? readPair() : undefined;

/** Whether HTTP/2 is spoken, over plain TCP where there is no TLS. */
export const IS_HTTP2 = process.env['BENCH_HTTP2'] === '1';

/** Idle connections are kept so long, ms: longer than any scenario leaves them alone. */
export const KEEP_ALIVE = 120_000;

/** Prints where a server of Node listens, and lets it keep idle connections. */
export function announce(server) {
  server.keepAliveTimeout = KEEP_ALIVE;
  if (server.listening) console.log(server.address().port);
  else server.on('listening', () => console.log(server.address().port));
}

/** Of V8's heap, bytes in decimal; needs `--expose-gc`. */
export function heapUsed() {
  globalThis.gc();
  return String(process.memoryUsage().heapUsed);
}

function readPair() {
  return { cert: readFileSync(join(FILES, 'cert.pem'), 'utf8'), key: readFileSync(join(FILES, 'key.pem'), 'utf8') };
}
