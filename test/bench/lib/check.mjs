/**
 * Whether a server answers rightly: nothing is timed that is wrong.
 *
 * @module
 */
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** Longest that an answer may take, ms. */
const DEADLINE = 10_000;

/** A server has answered wrongly. */
export class WrongAnswer extends Error {
  name = 'WrongAnswer';
}

/**
 * Asks all that a scenario asks, once.
 *
 * @param {string} who
 * @param {import('./servers.mjs').Running} server
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @throws {WrongAnswer}
 */
export async function checkAnswers(who, server, scenario) {
  for (const one of scenario.asks) {
    const { status, headers, body } = await (scenario.isHttp2 ? askOverHttp2(server, one) : ask(server, one));
    const coding = headers['content-encoding'];
    const isCoded = coding === (scenario.isCompressed ? 'gzip' : undefined);
    const text = textOf(body, coding, who);
    if (status !== (one.status ?? 200) || !isCoded || !isSame(text, one.answer)) {
      throw new WrongAnswer(`${who} answers ${one.path} with ${status}, ${coding ?? 'no'} coding, ${JSON.stringify(text.slice(0, 80))}`);
    }
  }
  if (scenario.isClosing) await checkClosing(who, server, scenario.asks[0]);
  if (scenario.pipeline) await checkPipelined(who, server, scenario.asks[0], scenario.pipeline);
}

function textOf(body, coding, who) {
  try {
    return (coding === 'gzip' ? gunzipSync(body) : body).toString();
  } catch (cause) {
    throw new WrongAnswer(`${who} sends gzip that cannot be read: ${cause.message}`, { cause });
  }
}

/** Asks for what begins a session. @returns {Promise<string>} The cookies that it gives, for the field Cookie. */
export async function cookieOf(server, login) {
  const { status, headers } = await ask(server, login);
  const cookies = (headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0]);
  if (status !== 200 || cookies.length === 0) throw new WrongAnswer(`${server.origin} answers ${login.path} with ${status}, and no cookie`);
  return cookies.join('; ');
}

/** JSON may be spelled in more than one way. */
function isSame(text, answer) {
  return text === answer || (answer.startsWith('{') && JSON.stringify(JSON.parse(text)) === answer);
}

async function ask({ origin }, { method = 'GET', path, headers, body }) {
  const request = origin.startsWith('https') ? secureRequest : plainRequest;
  const response = await new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const options = { method, headers: { ...headers, ...length }, agent: false, rejectUnauthorized: false };
    const sent = request(origin + path, options, resolve);
    sent.setTimeout(DEADLINE, () => sent.destroy(new WrongAnswer(`no answer to ${path} after ${DEADLINE} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

/**
 * Asks once over HTTP/2, on a connection of its own.
 *
 * @returns {Promise<{ status: number, headers: Record<string, string>, body: Buffer }>}
 */
export async function askOverHttp2({ origin }, { method = 'GET', path, headers, body }) {
  const session = connectHttp2(origin, { rejectUnauthorized: false });
  try {
    const stream = session.request({ ':method': method, ':path': path, ...headers });
    stream.setTimeout(DEADLINE, () => stream.destroy(new WrongAnswer(`no answer to ${path} after ${DEADLINE} ms`)));
    session.on('error', (error) => stream.destroy(error));
    stream.end(body);
    const [fields] = await once(stream, 'response');
    return { status: fields[':status'], headers: fields, body: await buffer(stream) };
  } finally {
    session.close();
  }
}

/** The server ends the connection; that it says so as well is not asked for: Bun does not. */
function checkClosing(who, { port }, { path, answer }) {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
    socket.setTimeout(DEADLINE, () => socket.destroy(new WrongAnswer(`${who} does not close the connection`)));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.on('end', () => (received.endsWith(answer) ? resolve() : reject(new WrongAnswer(`${who} closes after ${received}`))));
  });
}

/** As many answers as requests, each the right one, in one connection. */
function checkPipelined(who, { port }, { path, answer }, count) {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count)));
    socket.setTimeout(DEADLINE, () =>
      socket.destroy(new WrongAnswer(`${who} gives ${received.split(answer).length - 1} of ${count} answers`)),
    );
    socket.on('error', reject);
    socket.on('close', () => reject(new WrongAnswer(`${who} closes instead of giving ${count} answers`)));
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const heads = received.match(/HTTP\/1\.1 200 /g)?.length;
      if (heads !== count || received.split(answer).length - 1 !== count) return;
      socket.removeAllListeners('close');
      resolve(socket.destroy());
    });
  });
}
