/**
 * `npm run fuzz`: the reading machine under random requests, and the heads that are slowest to parse.
 *
 *     npm run build && npm run fuzz -- --seed 7 --heads 1000000 --chunked 100000
 */
import { parseArgs } from 'node:util';
import { END, HeadEvent, RequestReader } from '../../dist/h1/connection.js';
import { DEFAULT_LIMITS } from '../../dist/h1/limits.js';
import { ProtocolError } from '../../dist/h1/protocol-error.js';
import { chunkedOf, cutsOf, randomOf, streamOf } from './corpus.mjs';
import { checkInvariant, createTranscriber } from './invariant.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    heads: { type: 'string', default: '1000000' },
    chunked: { type: 'string', default: '100000' },
  },
});
const seed = Number(values.seed);
const random = randomOf(seed);
const transcribe = createTranscriber({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS });
console.log(`seed ${seed}`);

const verdicts = new Map();
run('streams of requests', Number(values.heads), () => streamOf(random));
run('chunked bodies', Number(values.chunked), () => chunkedOf(random));
for (const [verdict, count] of [...verdicts].toSorted((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(10)}  ${verdict}`);
slowest();

function run(what, count, make) {
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    const text = make();
    const whole = checkInvariant(transcribe, text, [cutsOf(text.length, random)]);
    const verdict = /error\(.*\)$/.exec(whole)?.[0] ?? 'served';
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  console.log(
    `${count.toLocaleString('en')} ${what}, each whole and cut: the same events or the same error, in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}

/** Heads of 16 KiB in many shapes: the median of 50 parses of each, and the time it takes when it comes byte by byte. */
function slowest() {
  const lead = 'GET / HTTP/1.1\r\nHost: a\r\n';
  const room = DEFAULT_LIMITS.maxHeaderSize - 9;
  const shapes = {
    'one long value': `x: ${'v'.repeat(room - 7)}\r\n`,
    'one value of spaces and letters': `x: ${' v'.repeat((room - 7) / 2)}\r\n`,
    'one value of spaces': `x: ${' '.repeat(room - 8)}v\r\n`,
    'one long name': `${'n'.repeat(room - 4)}: \r\n`,
    'a hundred fields': Array.from({ length: 99 }, (_, i) => `x${i}: ${'v'.repeat(156)}\r\n`).join(''),
    'a hundred Connection fields': Array.from({ length: 99 }, () => `Connection: ${'a,'.repeat(75)}\r\n`).join(''),
    'a hundred Transfer-Encoding fields': Array.from({ length: 99 }, () => `Transfer-Encoding: ${','.repeat(140)}\r\n`).join(''),
    'a hundred Content-Length fields': Array.from({ length: 99 }, () => `Content-Length: ${'1'.repeat(140)}\r\n`).join(''),
    'a long Host': `X: y\r\nHOST: ${'a'.repeat(room - 20)}\r\n`,
    'a field without its end': `x: ${'v'.repeat(room - 7)}`,
  };
  let worst = ['', 0];
  for (const [name, fields] of Object.entries(shapes)) {
    const bytes = Buffer.from(`${lead}${fields}\r\n`, 'latin1');
    const times = Array.from({ length: 50 }, () => timed(() => transcribe(bytes, [])));
    const median = times.toSorted((a, b) => a - b)[25];
    const bytewise = timed(() =>
      transcribe(
        bytes,
        Array.from({ length: bytes.length - 1 }, (_, i) => i + 1),
      ),
    );
    console.log(`${median.toFixed(3).padStart(8)} ms whole, ${bytewise.toFixed(0).padStart(5)} ms in ${bytes.length} packets: ${name}`);
    if (median > worst[1]) worst = [name, median];
  }
  console.log(`slowest 16 KiB head: ${worst[1].toFixed(3)} ms (${worst[0]})`);
}

function timed(f) {
  const began = performance.now();
  f();
  return performance.now() - began;
}
