/**
 * A client for trials: one connection, one request at a time, and what became of each. It keeps connections as a browser does: it opens a new
 * one when the server said that it closes, or has closed. It never asks twice: what fails is told.
 */
import { connect } from 'node:net';
import { Http2Line } from './line-http2.mjs';
import { isHttp2 } from './over.mjs';

/** @typedef {{ status: number, body: string, ms: number, head?: string }} Answer */
/** @typedef {{ path: string, method?: string, body?: string, headers?: string }} Question */

/** An answer that takes longer than this will never come, ms. */
const LOST_AFTER = 20_000;

/** One keep-alive connection. */
export class Http1Line {
  /** @readonly */
  #port;
  /** @readonly */
  #host;
  /** @type {import('node:net').Socket | undefined} */
  #socket;
  #text = '';
  /** @type {{ resolve: (answer: Answer) => void, reject: (error: Error) => void, began: number, timer: NodeJS.Timeout } | undefined} */
  #open;
  /** How many connections it has had. */
  connections = 0;

  /** @param {number} port @param {string} [host] */
  constructor(port, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
  }

  /**
   * @param {string} path
   * @param {Omit<Question, 'path'>} [how]
   * @returns {Promise<Answer>} Rejects when the connection ends before the answer is whole.
   */
  ask(path, { method = 'GET', body = '', headers = '' } = {}) {
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lose(new Error(`no answer within ${LOST_AFTER} ms`)), LOST_AFTER);
      this.#open = { resolve, reject, began: performance.now(), timer };
      this.#socket ??= this.#connect();
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: trial\r\n${length}${headers}\r\n${body}`);
    });
  }

  close() {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect() {
    const socket = connect(this.#port, this.#host).setNoDelay();
    this.connections++;
    this.#text = '';
    const lost = (/** @type {Error} */ error) => {
      if (this.#socket === socket) this.#lose(error);
    };
    socket.on('error', lost).on('close', () => lost(new Error('closed before the answer')));
    socket.on('data', (bytes) => this.#take(socket, bytes.toString('latin1')));
    return socket;
  }

  /** @param {Error} error */
  #lose(error) {
    this.close();
    const open = this.#open;
    this.#open = undefined;
    clearTimeout(open?.timer);
    open?.reject(error);
  }

  /** @param {import('node:net').Socket} socket @param {string} text */
  #take(socket, text) {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1 || !this.#open) return;
    const head = this.#text.slice(0, end);
    const size = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#text.length < end + 4 + size) return;
    const body = this.#text.slice(end + 4, end + 4 + size);
    this.#text = this.#text.slice(end + 4 + size);
    if (/\r\nconnection: close/i.test(head)) {
      this.#socket = undefined;
      socket.destroy();
    }
    const { resolve, began, timer } = this.#open;
    this.#open = undefined;
    clearTimeout(timer);
    resolve({ status: Number(head.slice(9, 12)), head, body, ms: performance.now() - began });
  }
}

/** What the trials ask with: see over.mjs. */
export const Line = isHttp2 ? Http2Line : Http1Line;

/**
 * Asks at a fixed rate over some connections. The time of each answer counts from when it was due, not from when a busy connection got to it.
 *
 * @param {{ port: number, path: () => string | Question, rate: number, lines: number, until: AbortSignal, isRight?: (answer: Answer, asked: Question) => boolean }} how
 *   Without `isRight` an answer is right when its status is 200.
 * @returns {Promise<{ times: number[], failures: string[] }>} Times in ms, of the right answers.
 */
export async function askAtRate({ port, path, rate, lines, until, isRight = ({ status }) => status === 200 }) {
  /** @type {number[]} */
  const times = [];
  /** @type {string[]} */
  const failures = [];
  const began = performance.now();
  const gap = (1000 * lines) / rate;
  const one = async (/** @type {number} */ index) => {
    const line = new Line(port);
    for (let n = 0; ; n++) {
      const due = began + (index * gap) / lines + n * gap;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (until.aborted) break;
      const from = Math.min(due, performance.now()); // a timer may be early
      const what = path();
      const asked = typeof what === 'string' ? { path: what } : what;
      try {
        const answer = await line.ask(asked.path, asked);
        if (isRight(answer, asked)) times.push(performance.now() - from);
        else failures.push(`${answer.status} ${answer.body}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
    line.close();
  };
  await Promise.all(Array.from({ length: lines }, (_, index) => one(index)));
  return { times, failures };
}

/** @param {readonly number[]} values @param {number} share From 0 to 1. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The largest of any number of values. @param {readonly number[]} values */
export function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

/** One line for each kind of failure, with how often it was. @param {readonly string[]} failures */
export function tellFailures(failures) {
  for (const failure of new Set(failures)) console.log(`failed ${failures.filter((other) => other === failure).length} times: ${failure}`);
}
