/**
 * `npm run fuzz`: the reading machine under random requests, the machine of HTTP/2 under random connections, the parser of forms under random forms,
 * and the heads that are slowest to parse. The same seed gives the same inputs.
 *
 *     npm run build && npm run fuzz -- --seed 7 --heads 1000000 --chunked 100000 --connections 100000 --forms 100000
 */
import { parseArgs } from 'node:util';
import { END, HeadEvent, RequestReader } from '../../.build/modules/h1/request-reader.js';
import { Session } from '../../.build/modules/h2/session.js';
import { MultipartParser } from '../../.build/modules/helpers/read-form/multipart-parser.js';
import { parsePartHead } from '../../.build/modules/helpers/read-form/part-head.js';
import { ProtocolError } from '../../.build/modules/http/errors/protocol-error.js';
import { HeaderList } from '../../.build/modules/http/header-list.js';
import { DEFAULT_LIMITS } from '../../.build/modules/http/request/head-limits.js';
import { HttpError } from '../../.build/modules/http/response.js';
import { chunkedOf, cutsOf, randomOf, streamOf } from './corpus.mjs';
import { checkInvariant, createFeed } from './feed.mjs';
import { createFormFeed, formOf } from './forms.mjs';
import { connectionOf, cutsOf as http2CutsOf } from './http2-corpus.mjs';
import { checkHttp2Invariant, createHttp2Feed } from './http2-feed.mjs';
import { searchSlowest } from './slowest.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    heads: { type: 'string', default: '1000000' },
    chunked: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '100000' },
    forms: { type: 'string', default: '100000' },
  },
});
const seed = Number(values.seed);
const random = randomOf(seed);
const reader = createFeed({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS });
console.log(`seed ${seed}`);

/** No input of a few KiB, read twice, may take longer, ms: far above what one does, far below what a quadratic parser would. */
const LONGEST = 250;

const verdicts = new Map();
run('streams of requests', Number(values.heads), reader, () => streamOf(random));
run('chunked bodies', Number(values.chunked), reader, () => chunkedOf(random));
run(
  'connections of HTTP/2',
  Number(values.connections),
  createHttp2Feed({ Session, HeaderList, DEFAULT_LIMITS }),
  () => connectionOf(random),
  checkConnection,
);
run('multipart forms', Number(values.forms), createFormFeed({ MultipartParser, parsePartHead, HttpError }), () => formOf(random));
for (const [verdict, count] of [...verdicts].toSorted((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(10)}  ${verdict}`);
searchSlowest(reader, random);

/** @param check Reads an input in several ways, which must come to the same: `error` says how it ends. */
function run(what, count, feed, make, check = checkCuts) {
  const began = performance.now();
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const text = make();
    const start = performance.now();
    const whole = check(feed, text);
    const time = performance.now() - start;
    if (time > LONGEST) throw new Error(`${time.toFixed(0)} ms for ${JSON.stringify(text.toString('latin1'))}`);
    longest = Math.max(longest, time);
    const verdict = whole.error?.replace(/:.*/s, '') ?? 'served';
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${count.toLocaleString('en')} ${what}, each whole and cut: the same events or the same error, in ${seconds} s, ${longest.toFixed(1)} ms for the slowest`,
  );
}

function checkCuts(feed, text) {
  return checkInvariant(feed, text, cutsOf(text.length, random));
}

function checkConnection(feed, bytes) {
  const { events, error } = checkHttp2Invariant(feed, bytes, http2CutsOf(bytes.length, random), random);
  if (error !== undefined) return { error: `HTTP/2, an error of the connection, code ${error}` };
  return { error: events.some(({ reset }) => reset !== undefined) ? 'HTTP/2, an error of a stream' : undefined };
}
