/**
 * Searches for the head of 16 KiB that takes longest to read: shapes made by hand, then random ones, then variations of the slowest.
 */
import { DEFAULT_LIMITS } from '../../.build/modules/http/request/head-limits.js';

const LEAD = 'GET / HTTP/1.1\r\nHost: a\r\n';
/** What the field lines behind Host may take. */
const ROOM = DEFAULT_LIMITS.maxHeaderSize - 'Host: a\r\n'.length;
const NAMES = [
  'x',
  'X-Long-Name',
  'Connection',
  'Transfer-Encoding',
  'Content-Length',
  'Expect',
  'Upgrade',
  'Cookie',
  '!#$%&',
  'n'.repeat(40),
];
const FILLINGS = ['v', ' ', '\t', ', ', ',', 'a,', 'close,', 'chunked,', ' v', 'v  ', ':', '\xff', '1', '"\\', 'keep-alive , '];
const ROUNDS = 400;

/** Prints the slowest shapes, whole and in packets of one byte. */
export function searchSlowest(feed, random) {
  const one = (list) => list[Math.floor(random() * list.length)];
  const heads = [
    { what: 'one long value', fields: line('x', 'v', ROOM) },
    { what: 'one value of spaces', fields: `x: ${' '.repeat(ROOM - 6)}v\r\n` },
    { what: 'one long name', fields: `${'n'.repeat(ROOM - 4)}: \r\n` },
    { what: 'a long Host', fields: `x: y\r\n`, lead: `GET / HTTP/1.1\r\n${line('Host', 'a', ROOM)}` },
    { what: 'a target of 8 KiB beside them', fields: line('x', 'v', ROOM), lead: LEAD.replace('/', `/${'t'.repeat(8170)}`) },
    { what: 'an absolute target of 8 KiB', fields: line('x', 'v', ROOM), lead: LEAD.replace('/', `http://${'%41'.repeat(2700)}`) },
    { what: 'a section without its end', fields: line('x', 'v', ROOM).slice(0, -2), end: '' },
    { what: 'a line too many', fields: 'x:\r\n'.repeat(100) },
    ...NAMES.flatMap((name) =>
      FILLINGS.map((filling) => ({ what: `99 of ${name}: ${JSON.stringify(filling)}`, fields: section(99, name, filling) })),
    ),
  ];
  for (let i = 0; i < ROUNDS; i++) {
    const count = 1 + Math.floor(random() * 99);
    const name = one(NAMES);
    const filling = one(FILLINGS) + one(FILLINGS);
    heads.push({ what: `${count} of ${name}: ${JSON.stringify(filling)}`, fields: section(count, name, filling) });
  }
  const ranked = heads.map((head) => ({ ...head, text: textOf(head) })).map((head) => ({ ...head, time: median(feed, head.text, 9) }));
  ranked.sort((a, b) => b.time - a.time);
  const slowest = ranked.slice(0, 10).map((head) => ({ ...head, time: median(feed, head.text, 99) }));
  slowest.sort((a, b) => b.time - a.time);
  for (const { what, text, time } of slowest.slice(0, 5)) {
    const bytewise = timed(() => feed(text));
    console.log(`${time.toFixed(3).padStart(8)} ms whole, ${bytewise.toFixed(0).padStart(5)} ms in ${text.length} packets: ${what}`);
  }
  console.log(`slowest of ${ranked.length} heads of 16 KiB: ${slowest[0].time.toFixed(3)} ms`);
  for (const [what, chunk] of [
    ['chunks of one byte', '1\r\nx\r\n'],
    ['chunks of one byte with an extension', '1;a\r\nx\r\n'],
    ['chunks of 64 bytes', `40\r\n${'x'.repeat(64)}\r\n`],
  ]) {
    const body = chunk.repeat(Math.floor(65_536 / chunk.length) - 20);
    const text = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`;
    console.log(`${median(feed, text, 49).toFixed(3).padStart(8)} ms for 64 KiB of ${what}`);
  }
}

function textOf({ lead = LEAD, fields, end = '\r\n' }) {
  return lead + fields + end;
}

/** This many lines that fill the room together. */
function section(count, name, filling) {
  return line(name, filling, Math.floor(ROOM / count)).repeat(count);
}

function line(name, filling, size) {
  const room = Math.max(0, size - name.length - 4);
  return `${name}: ${filling.repeat(Math.ceil(room / filling.length)).slice(0, room)}\r\n`;
}

function median(feed, text, runs) {
  return Array.from({ length: runs }, () => timed(() => feed([text]))).toSorted((a, b) => a - b)[runs >> 1];
}

function timed(f) {
  const began = performance.now();
  f();
  return performance.now() - began;
}
