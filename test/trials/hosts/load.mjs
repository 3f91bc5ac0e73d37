/**
 * The clients of the trial on several hosts, a process of its own in the network of that trial: it tells the trial what becomes of each request, and
 * answers its questions.
 */
import { createHash, randomBytes } from 'node:crypto';
import { request as openRequest } from 'node:http';
import { Http1Line } from '../client.mjs';
import { pause } from '../server.mjs';
import { Listeners } from './listeners.mjs';
import { cookieOf, Visitor } from './visitor.mjs';

/**
 * What became of a request. Times are those of the machine, ms; `id` is in its path, for the balancer's log. `error` says why it has failed.
 *
 * @typedef {{ id: number, kind: string, from: number, to: number, status: number, host?: string, key?: string, isRefusal?: boolean, error?: string }} Outcome
 */

const { ADDRESS: address = '', LINES = '64', UPLOADS = '6' } = process.env;

/** What the 64 ask, by turns; those with a name have to do with Redis. */
const PLAIN = ['hello', 'me', 'hello', 'count', 'slow', 'hello', 'me', 'open'];
/** A client's pause after each answer, ms: the trial looks for failures, not for the most that a machine can do. */
const REST = 60;
/** Of those that ask for the limited key. */
const LIMITED_LINES = 4;
const LIMITED_REST = 25;
/** How long it may take until a key is refused, ms. */
const PATIENCE = 30_000;

const listeners = new Listeners(address);
/** @type {Outcome[]} */
let outcomes = [];
let lastId = 0;
/** The key that counts now, and whether it has been refused. @type {{ name: string | undefined, isExhausted: boolean }} */
const limited = { name: undefined, isExhausted: false };
const over = new AbortController();

/** @type {Record<string, (argument: string) => unknown>} */
const QUESTIONS = {
  /** From now on this key is asked for. */
  limit: (name) => {
    Object.assign(limited, { name, isExhausted: false });
  },
  /** Whether the key has been asked for until it was refused. */
  exhausted: async () => {
    const end = performance.now() + PATIENCE;
    while (!limited.isExhausted && performance.now() < end) await pause(10);
    limited.name = undefined;
    return limited.isExhausted;
  },
  /** How often each of some keys is admitted now. */
  askAgain: async (names) => {
    const line = new Http1Line(80, address);
    const admitted = [];
    for (const name of names.split(' ')) {
      const { status } = await ask(line, 'limited', { path: `/limited?key=${name}`, key: name });
      admitted.push(status === 200);
    }
    line.close();
    return admitted;
  },
  settled: () => listeners.settled(),
  broadcast: () => listeners.broadcast(),
  publish: () => listeners.publish(),
  away: () => listeners.away.splice(0),
  end: async () => {
    over.abort();
    await Promise.all(running);
    listeners.close();
  },
};

const running = [
  ...Array.from({ length: Number(LINES) }, (_, i) => visit(i)),
  ...Array.from({ length: Number(UPLOADS) }, (_, i) => upload(i)),
  ...Array.from({ length: LIMITED_LINES }, askForKey),
];
setInterval(flush, 100).unref();

process.on('message', async ({ ask: what, argument }) => {
  const answer = await QUESTIONS[what]?.(argument);
  process.send?.({ outcomes, answer: answer ?? null });
  outcomes = [];
});
process.on('disconnect', () => process.exit());

function flush() {
  process.send?.({ outcomes });
  outcomes = [];
}

/** One of the 64: a session of its own, in which it counts. @param {number} index */
async function visit(index) {
  const line = new Http1Line(80, address);
  const visitor = new Visitor(`client-${index}`, await login(line, `client-${index}`));
  for (let n = index; !over.signal.aborted; n++) {
    const kind = PLAIN[n % PLAIN.length] ?? '';
    if (kind === 'me' || kind === 'count') await askInSession(line, kind, visitor);
    else await ask(line, kind, { path: `/${kind}` });
    await pause(REST * (0.5 + Math.random()));
  }
  line.close();
}

/** @param {Http1Line} line @param {'me' | 'count'} kind @param {Visitor} visitor */
async function askInSession(line, kind, visitor) {
  const { status } = await ask(line, kind, {
    path: `/${kind}`,
    method: kind === 'count' ? 'POST' : 'GET',
    headers: visitor.headers,
    judge: (answer) => visitor.judge(kind, answer),
  });
  if (kind === 'count' && status !== 200) visitor.mayHaveCounted();
}

/** @param {Http1Line} line @param {string} name @returns {Promise<string>} */
async function login(line, name) {
  const { status, head = '' } = await line.ask(`/login/${name}`, { method: 'POST' });
  const cookie = cookieOf(head);
  if (status !== 200 || cookie === undefined) throw new Error(`Cannot log in: ${status}`);
  return cookie;
}

/** One that asks for the key that counts, as fast as it is refused. */
async function askForKey() {
  const line = new Http1Line(80, address);
  while (!over.signal.aborted) {
    const { name } = limited;
    if (name !== undefined) {
      const { status } = await ask(line, 'limited', { path: `/limited?key=${name}`, key: name });
      if (status === 429 && name === limited.name) limited.isExhausted = true;
    }
    await pause(LIMITED_REST);
  }
  line.close();
}

/**
 * @param {Http1Line} line
 * @param {string} kind
 * @param {{ path: string, method?: string, headers?: string, key?: string, judge?: (answer: import('../client.mjs').Answer) => string | undefined }} how
 */
async function ask(line, kind, { path, method = 'GET', headers = '', key: name, judge }) {
  const id = ++lastId;
  const from = performance.timeOrigin + performance.now();
  /** @type {Outcome} */
  const outcome = { id, kind, from, to: from, status: 0, ...(name !== undefined && { key: name }) };
  try {
    const answer = await line.ask(`${path}${path.includes('?') ? '&' : '?'}id=${id}`, { method, headers });
    outcome.status = answer.status;
    take(outcome, /\r\nx-host: (\S+)/i.exec(answer.head ?? '')?.[1]);
    outcome.isRefusal = answer.status === 503 && /\r\nretry-after: 1\r/i.test(`${answer.head}\r`);
    const isExpected = answer.status === 200 || (kind === 'limited' && answer.status === 429);
    const error = isExpected ? judge?.(answer) : `${answer.status} ${answer.body.replace(/\s+/g, ' ').slice(0, 100)}`;
    if (error !== undefined) outcome.error = error;
  } catch (error) {
    outcome.error = error instanceof Error ? error.message : String(error);
  }
  return done(outcome);
}

/** Uploads one after the other, each in pieces over one to six seconds. @param {number} index */
async function upload(index) {
  for (let n = index; !over.signal.aborted; n++) {
    const id = ++lastId;
    const from = performance.timeOrigin + performance.now();
    /** @type {Outcome} */
    const outcome = { id, kind: 'upload', from, to: from, status: 0 };
    try {
      await send(outcome, randomBytes(1 << 20), 1000 * (1 + (n % 6)));
    } catch (error) {
      outcome.error = error instanceof Error ? error.message : String(error);
    }
    done(outcome);
    if (outcome.error !== undefined) await pause(REST);
  }
}

/** @param {Outcome} outcome @param {Buffer} body @param {number} ms How long it takes. */
async function send(outcome, body, ms) {
  const size = body.length >> 4;
  const request = openRequest({
    host: address,
    path: `/upload?id=${outcome.id}`,
    method: 'POST',
    agent: false,
    headers: { 'Content-Length': body.length },
  });
  const closed = new AbortController(); // it is answered, or has failed: both are told below
  const answered = new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
  }).finally(() => closed.abort());
  answered.catch(() => {}); // it is awaited below
  for (let at = 0; at < body.length && !closed.signal.aborted; at += size) {
    request.write(body.subarray(at, at + size));
    await pause(ms / 16);
  }
  request.end();
  const response = await answered;
  outcome.status = response.statusCode;
  take(outcome, response.headers['x-host']);
  let text = '';
  for await (const piece of response) text += piece;
  if (response.statusCode !== 200) outcome.error = `${response.statusCode} ${text.replace(/\s+/g, ' ').slice(0, 100)}`;
  else if (text !== createHash('sha256').update(body).digest('hex')) outcome.error = 'another body arrived';
}

/** @param {Outcome} outcome @param {string | undefined} host */
function take(outcome, host) {
  if (host !== undefined) outcome.host = host;
}

/** @param {Outcome} outcome */
function done(outcome) {
  outcome.to = performance.timeOrigin + performance.now();
  outcomes.push(outcome);
  return outcome;
}
