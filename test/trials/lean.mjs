/**
 * A client that takes next to no time itself, for trials that measure what the server takes: one connection, bytes that are made beforehand, one answer
 * after the other.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

export class LeanLine {
  /** @readonly */
  #socket;
  /** @type {((answer: Buffer) => void) | undefined} */
  #onAnswer;
  /** Bytes of the answer that is awaited; 0: as its head says. */
  #size = 0;
  /** @type {Buffer | undefined} */
  #begun;

  /** @param {number} port */
  static async to(port) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new LeanLine(socket);
  }

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
  }

  /** @param {Buffer} request @param {number} [size] Bytes of the answer, when it is no response of HTTP. @returns {Promise<Buffer>} */
  ask(request, size = 0) {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
      this.#size = size;
      this.#socket.write(request);
    });
  }

  close() {
    this.#socket.destroy();
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    const answer = this.#begun ? Buffer.concat([this.#begun, bytes]) : bytes;
    const isWhole = answer.length >= (this.#size || sizeOf(answer));
    this.#begun = isWhole ? undefined : answer;
    if (isWhole) this.#onAnswer?.(answer);
  }
}

/** A GET as bytes. @param {string} path @param {string} [key] */
export function getRequest(path, key) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: trial\r\n${key === undefined ? '' : `Key: ${key}\r\n`}\r\n`);
}

/** What a response has in all, with a Content-Length. @param {Buffer} answer */
function sizeOf(answer) {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return Number.POSITIVE_INFINITY;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(answer.toString('latin1', 0, end)) ?? [];
  return end + 4 + Number(length);
}
