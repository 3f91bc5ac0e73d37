/**
 * What is asked and what must be answered: the same for every server.
 *
 * @module
 */

export const HELLO = 'Hello, World!';

/** What `/json` makes text of, anew for each request. */
export const JSON_VALUE = { message: 'Hello, World!', at: [1, 2, 3], user: { id: 7, name: 'Ada' } };

/** What `/large` is answered with. */
export const LARGE = Buffer.from('0123456789abcdef'.repeat(4096));

/** A large file: as many bytes as asked for, a line of 64 again and again. */
export function makeLarge(size) {
  return 'A line of a large file, which is the same as all the others....\n'.repeat(size / 64);
}

/** What `/stream` gives: 64 times this piece of 16 KiB, made anew each time as a handler would. */
export const STREAMED = { piece: makeLarge(16 * 1024), pieces: 64 };

/** The pieces of a stream. */
export async function* makeStream() {
  for (let n = 0; n < STREAMED.pieces; n++) yield Buffer.from(STREAMED.piece, 'latin1');
}

/** A multipart form with three files of 100 KiB each. */
export const UPLOAD = {
  headers: { 'Content-Type': 'multipart/form-data; boundary=----boundary7MA4YWxkTrZu0gW' },
  body: formOf(['a', 'b', 'c'].map((name) => partOf(name))),
  answer: String(3 * 100 * 1024),
};

/** One with a file of 100 KiB. */
export const SMALL_UPLOAD = { ...UPLOAD, body: formOf([partOf('a')]), answer: String(100 * 1024) };

/** One with a file of 5 MiB. */
export const LARGE_UPLOAD = { ...UPLOAD, body: formOf([partOf('a', 5 * 1024 * 1024)]), answer: String(5 * 1024 * 1024) };

/** The fields of a form: what 20 of them are named. */
export const FIELD_NAMES = Array.from({ length: 20 }, (_, n) => `field${n}`);

/** A multipart form with 20 fields. */
export const FIELDS = { ...UPLOAD, body: formOf(FIELD_NAMES.map(fieldOf)), answer: String(20 * 'a value of field 10'.length - 10) };

function formOf(parts) {
  return `${parts.join('')}------boundary7MA4YWxkTrZu0gW--\r\n`;
}

function partOf(name, size = 100 * 1024) {
  const head = `Content-Disposition: form-data; name="files"; filename="${name}.txt"\r\nContent-Type: text/plain`;
  return `------boundary7MA4YWxkTrZu0gW\r\n${head}\r\n\r\n${makeLarge(size)}\r\n`;
}

function fieldOf(name, n) {
  return `------boundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="${name}"\r\n\r\na value of field ${n}\r\n`;
}

/** What the page of a catalogue lists. */
export const ITEMS = Array.from({ length: 20 }, (_, n) => ({
  id: n + 1,
  name: `Thread & needle no. ${n + 1}`,
  price: (1.5 + n / 4).toFixed(2),
}));

/** The page, as a template of eta has it. */
export const TEMPLATE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue</title><h1>Hello, <%= it.user %></h1><p>Visit <%= it.visits %></p><ul><% for (const item of it.items) { %><li><a href="/items/<%= item.id %>"><%= item.name %></a> <%= item.price %></li><% } %></ul></html>`;

/** What it comes to. */
export function makeCatalogue(user, visits) {
  const items = ITEMS.map(({ id, name, price }) => `<li><a href="/items/${id}">${name.replace('&', '&amp;')}</a> ${price}</li>`);
  const head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue</title>';
  return `${head}<h1>Hello, ${user}</h1><p>Visit ${visits}</p><ul>${items.join('')}</ul></html>`;
}

/** How many routes stand behind `/api`. */
export const ROUTES = 100;

/** Static file, bytes. */
const PAGE_SIZE = 32 * 1024;
/** Text to compress, bytes. */
const TEXT_SIZE = 1024 * 1024;

const WORDS =
  'the red thread that runs through a thing from end to end is what holds it together and whoever pulls on it finds where it began ' +
  'a server answers what it was asked no more and no less and when nobody asks it waits connection request response header body socket';

/** 32 KiB of HTML. */
export function makePage() {
  return `<!doctype html><title>A page</title><p>${prose(PAGE_SIZE)}`.slice(0, PAGE_SIZE);
}

/** 1 MiB of text that compresses about as prose does. */
export function makeText() {
  return prose(TEXT_SIZE);
}

/** The same text each time: words in an order that a small generator gives, with numbers among them. */
function prose(size) {
  const words = WORDS.split(' ');
  const pieces = [];
  let state = 1;
  for (let length = 0; length < size + 16; ) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const piece = state % 7 === 0 ? String(state % 100_003) : words[(state >> 8) % words.length];
    pieces.push(piece);
    length += piece.length + 1;
  }
  return pieces.join(' ').slice(0, size);
}

/** What a browser sends, 20 fields with its Host: names, values and order as Chromium has them, cookies as an ordinary shop sets them. */
export const BROWSER_HEADERS = {
  Connection: 'keep-alive',
  Pragma: 'no-cache',
  'Cache-Control': 'no-cache',
  'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  DNT: '1',
  'Upgrade-Insecure-Requests': '1',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-User': '?1',
  'Sec-Fetch-Dest': 'document',
  Referer: 'https://shop.example/catalogue/threads?colour=red&page=2',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,fr;q=0.8,de;q=0.7',
  Priority: 'u=0, i',
  Cookie:
    '_ga=GA1.2.1843629871.1722412345; _gid=GA1.2.904312345.1722412345; session=6f1c3d2e9a7b4c5d8e0f1a2b3c4d5e6f; theme=dark; consent=necessary%2Cstatistics; cart=3f9a1c',
};

/** What is said to everybody: as long as a line of a chat. */
export const MESSAGE = 'x'.repeat(100);
