/** The client for trials over HTTP/2: as `Line` in client.mjs, on a connection of its own, one stream at a time. */
import { connect } from 'node:http2';
import { isSecure } from './over.mjs';

/** An answer that takes longer than this will never come, ms. */
const LOST_AFTER = 20_000;
/** What a stream ends with that was never looked at: it is asked again (RFC 9113 §8.7). node's client does so with what it has not sent yet when GOAWAY comes. */
const REFUSED_STREAM = 7;

/** One connection; another one when the server has said that it leaves, or has left. */
export class Http2Line {
  /** @readonly */
  #port;
  /** @type {import('node:http2').ClientHttp2Session | undefined} */
  #session;
  /** Whether the last stream that failed was refused. */
  #isRefused = false;
  /** How many connections it has had. */
  connections = 0;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  /**
   * @param {string} path
   * @param {Omit<import('./client.mjs').Question, 'path'>} [how]
   * @returns {Promise<import('./client.mjs').Answer>} Rejects when the stream ends before the answer is whole.
   */
  async ask(path, how = {}) {
    try {
      return await this.#askOnce(path, how);
    } catch (error) {
      if (!this.#isRefused) throw error;
      this.#session = undefined; // it is leaving, though its client may not have heard yet
      return this.#askOnce(path, how);
    }
  }

  #askOnce(path, { method = 'GET', body = '', headers = '' }) {
    const began = performance.now();
    if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = this.#connect();
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':path': path, ':method': method }, { endStream: body === '' });
      const timer = setTimeout(() => stream.destroy(new Error(`no answer within ${LOST_AFTER} ms`)), LOST_AFTER);
      let status = 0;
      let text = '';
      let isWhole = false;
      if (body !== '') stream.end(body);
      stream.setEncoding('utf8');
      stream.on('response', (fields) => {
        status = Number(fields[':status']);
      });
      stream.on('data', (piece) => {
        text += piece;
      });
      stream.on('end', () => {
        isWhole = true;
      });
      /** @type {Error | undefined} */
      let fault;
      stream.on('error', (error) => {
        fault = error;
      });
      stream.on('close', () => {
        clearTimeout(timer);
        this.#isRefused = stream.rstCode === REFUSED_STREAM;
        if (/connection: close/i.test(headers)) session.close();
        if (isWhole && status > 0) resolve({ status, body: text, ms: performance.now() - began });
        else reject(fault ?? new Error(`closed before the answer, with code ${stream.rstCode}`));
      });
    });
  }

  close() {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #connect() {
    this.connections++;
    const session = connect(`${isSecure ? 'https' : 'http'}://127.0.0.1:${this.#port}`, { rejectUnauthorized: false });
    session.on('error', () => {}); // its streams tell
    return session;
  }
}
