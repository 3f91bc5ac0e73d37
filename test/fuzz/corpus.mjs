/** Seeded random requests: valid ones, and valid ones with something wrong. */

/** A small generator of random numbers (mulberry32): the same seed, the same requests. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = (random, list) => list[Math.floor(random() * list.length)];
const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'get', 'PATCH', 'CONNECT', 'TRACE', 'M-SEARCH'];
const TARGETS = ['/', '/a/b?c=d', '/%41%2f', '*', 'http://h/x', 'http:///', '//x', '/a#b', '/"<>', 'a', `/${'x'.repeat(300)}`];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.10'];
const FIELDS = [
  'Host: a',
  'Host: a',
  'Host:',
  'Host: a b',
  'X: y',
  'Connection: close',
  'Connection: keep-alive, x',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Expect: x',
  'Cookie: a=b; c=d',
  'x:\t y \t',
  'Content_Length: 3',
  'TE: trailers',
  'Accept: */*',
  'X-Long: ' + 'v'.repeat(200),
  'É: 1',
  'x: \xe9\xa0',
];
const LENGTHS = [
  '',
  '',
  '',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 005',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
];
const BODIES = [
  '',
  'hello',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n',
  '0\r\n\r\n',
  'ff\r\nshort',
  '5\r\nhelloX',
];
const NOISE = ['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', ';', '\x7f', '\xff', '0', 'A', '\r\n\r\n', 'HTTP/1.1', 'chunked'];

/** One request: mostly well-formed. */
export function requestOf(random) {
  const fields = Array.from({ length: Math.floor(random() * 5) }, () => pick(random, FIELDS));
  if (random() < 0.9) fields.unshift('Host: a');
  const length = pick(random, LENGTHS);
  if (length) fields.push(length);
  return `${pick(random, METHODS)} ${pick(random, TARGETS)} ${pick(random, VERSIONS)}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${pick(random, BODIES)}`;
}

/** A request as well-behaved clients send it, with the body its head announces. */
function validOf(random) {
  const fields = Array.from({ length: Math.floor(random() * 4) }, () =>
    pick(random, ['Accept: */*', 'Cookie: a=b; c=d', 'x:\t y \t', 'Connection: keep-alive']),
  );
  const start = `${pick(random, ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'])} ${pick(random, TARGETS.slice(0, 3))} HTTP/1.${random() < 0.9 ? '1' : '0'}`;
  const head = `${start}\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}`;
  const how = random();
  if (how < 0.5 || start.endsWith('0')) return `${head}\r\n`;
  const data = `${pick(random, BODIES)}${pick(random, BODIES)}`;
  if (how < 0.8) return `${head}Content-Length: ${data.length}\r\n\r\n${data}`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunksOf(random)}`;
}

function chunksOf(random) {
  let body = '';
  for (let i = Math.floor(random() * 6); i > 0; i--) {
    const data = 'd'.repeat(1 + Math.floor(random() * 40));
    body += `${data.length.toString(16)}${random() < 0.2 ? ';ext="v"' : ''}\r\n${data}\r\n`;
  }
  return `${body}0\r\n${random() < 0.2 ? 'Trailer: x\r\n' : ''}\r\n`;
}

/** A chunked request whose body is all that varies. */
export function chunkedOf(random) {
  const body = chunksOf(random);
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${random() < 0.7 ? mutated(body, random) : body}`;
}

/** Some bytes changed, dropped, doubled or put in. */
export function mutated(text, random) {
  let result = text;
  for (let i = Math.floor(random() * 4); i > 0; i--) {
    const at = Math.floor(random() * (result.length + 1));
    const how = random();
    if (how < 0.4) result = result.slice(0, at) + pick(random, NOISE) + result.slice(at);
    else if (how < 0.7) result = result.slice(0, at) + result.slice(at + 1 + Math.floor(random() * 3));
    else if (how < 0.9) result = result.slice(0, at) + pick(random, NOISE) + result.slice(at + 1);
    else result += result.slice(at, at + 20);
  }
  return result;
}

/** One to three requests behind each other, mostly with something wrong. */
export function streamOf(random) {
  const how = random();
  if (how < 0.01) return bytesOf(random);
  if (how < 0.03) return nearLimitOf(random);
  let last = '';
  let text = '';
  for (let i = 1 + Math.floor(random() * 4); i > 0; i--) {
    const isAgain = last !== '' && random() < 0.2; // clients send the same header section again
    last = isAgain ? last : random() < 0.6 ? validOf(random) : requestOf(random);
    text += random() < 0.4 ? mutated(last, random) : last;
  }
  if (how >= 0.06) return text;
  const at = Math.floor(random() * text.length);
  return text.slice(0, at) + bytesOf(random) + text.slice(Math.floor(random() * text.length));
}

/** Bytes of no meaning, with more line ends and separators than chance would give. */
function bytesOf(random) {
  let text = '';
  for (let i = Math.floor(random() * 60); i > 0; i--) {
    text += random() < 0.3 ? pick(random, NOISE) : String.fromCharCode(Math.floor(random() * 256));
  }
  return text;
}

/** A request line of about 8 KiB, a header section of about 16 KiB, or about a hundred lines: a little below the limits, at them, or above. */
function nearLimitOf(random) {
  const about = (size) => size - 8 + Math.floor(random() * 17);
  const how = random();
  const target = how < 0.3 ? `/${'t'.repeat(about(8192 - 'GET / HTTP/1.1'.length))}` : '/';
  let fields = '';
  const filling = pick(random, ['v', ' ', ',', '\xff']);
  if (how >= 0.3 && how < 0.6) fields = `X: ${filling.repeat(about(16_384 - 'Host: a\r\nX: \r\n'.length))}\r\n`;
  if (how >= 0.6) fields = `${pick(random, ['X', 'Connection', 'Expect', 'TE'])}: a\r\n`.repeat(about(99));
  const text = `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
  return random() < 0.3 ? text.slice(0, -2) : text;
}

/** Places to cut at, in order: a few, or every byte of a short input. */
export function cutsOf(length, random) {
  if (length < 400 && random() < 0.02) return Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1);
  const cuts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => Math.floor(random() * length));
  return [...new Set(cuts)].filter((cut) => cut > 0).toSorted((a, b) => a - b);
}
