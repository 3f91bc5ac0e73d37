/**
 * Those who stay: clients of Socket.IO, half of which poll at first and half of which have websockets alone, and streams of events. They come back by
 * themselves; how long they were away is told.
 */
import { request as openRequest } from 'node:http';
import { io as connect } from 'socket.io-client';
import { pause } from '../server.mjs';

const SOCKETS = 50;
const STREAMS = 6;
/** How long all may take to be there, or a message to reach all, ms. */
const PATIENCE = 30_000;
/** A message that has not reached all is lost, and said again, after so long, ms. */
const AGAIN = 500;
/** A stream of events that ended begins again after so long, ms. */
const RETRY = 200;

/** @typedef {{ who: string, ms: number, at: number, reason: string }} Absence */

export class Listeners {
  /** Who was away, and how long. @type {Absence[]} */
  away = [];
  /** @readonly @type {string} */
  #address;
  /** @readonly @type {import('socket.io-client').Socket[]} */
  #sockets;
  /** The number of the last message that each has heard. @readonly @type {Map<unknown, number>} */
  #heard = new Map();
  /** The streams that are open, by number. @readonly @type {Map<number, import('node:http').ClientRequest>} */
  #streams = new Map();
  #number = 0;
  #isOver = false;

  /** @param {string} address */
  constructor(address) {
    this.#address = address;
    this.#sockets = Array.from({ length: SOCKETS }, (_, i) => this.#connect(i));
    for (let i = 0; i < STREAMS; i++) this.#open(i, undefined);
  }

  /** Waits until all are there. @returns {Promise<number | undefined>} How long that took, ms. */
  settled() {
    return this.#within(() => this.#sockets.every((socket) => socket.connected) && this.#streams.size === STREAMS);
  }

  /** One client of each kind says something to all of its kind, until all hear it. @returns {Promise<number | undefined>} How long that took, ms. */
  broadcast() {
    return this.#reaching(this.#sockets, (text) => {
      for (const socket of this.#sockets.slice(0, 2)) socket.emit('storm', text);
    });
  }

  /** A message to all streams, until all hear it. @returns {Promise<number | undefined>} How long that took, ms. */
  publish() {
    const streams = Array.from({ length: STREAMS }, (_, i) => i);
    return this.#reaching(streams, (text) => {
      const request = openRequest({ host: this.#address, path: '/news', method: 'POST', agent: false }, (response) => response.resume());
      request.on('error', () => {}).end(text); // it is said again
    });
  }

  close() {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.disconnect();
    for (const stream of this.#streams.values()) stream.destroy();
  }

  /** Says something again and again, until all have heard it at least once. @param {readonly unknown[]} all @param {(text: string) => void} say */
  #reaching(all, say) {
    const first = this.#number + 1;
    let said = Number.NEGATIVE_INFINITY;
    return this.#within(() => {
      if (performance.now() - said > AGAIN) {
        said = performance.now();
        say(String(++this.#number));
      }
      return all.every((one) => (this.#heard.get(one) ?? 0) >= first);
    });
  }

  /** @param {() => boolean} isSo */
  async #within(isSo) {
    const from = performance.now();
    while (!isSo()) {
      if (performance.now() - from > PATIENCE) return undefined;
      await pause(10);
    }
    return performance.now() - from;
  }

  /** @param {number} i */
  #connect(i) {
    const isPolling = i % 2 === 0;
    const socket = connect(`http://${this.#address}`, {
      forceNew: true,
      ...(isPolling ? { withCredentials: true } : { path: '/live', transports: ['websocket'] }),
      ...(isPolling && i % 4 === 0 && { transports: ['polling'] }),
      reconnectionDelay: 100,
      reconnectionDelayMax: 1000,
    });
    /** @type {{ from: number, reason: string } | undefined} */
    let absence;
    socket.on('disconnect', (reason) => {
      if (!this.#isOver) absence = { from: performance.now(), reason };
    });
    socket.on('connect', () => {
      if (absence) this.#back(isPolling ? 'polling' : 'websocket', absence);
      absence = undefined;
    });
    socket.on('stormed', (text) => this.#heard.set(socket, Number(text)));
    return socket;
  }

  /** @param {number} i @param {{ from: number, reason: string } | undefined} absence */
  #open(i, absence) {
    let isHeard = false;
    const request = openRequest({ host: this.#address, path: '/events', agent: false }, (response) => {
      if (response.statusCode === 200) {
        isHeard = true;
        this.#streams.set(i, request);
        if (absence) this.#back('events', absence);
        response.setEncoding('utf8').on('data', (text) => this.#hear(i, text));
        response.on('error', () => {}); // `close` follows
      } else request.destroy();
    });
    request.on('error', () => {}); // likewise
    request.on('close', () => {
      this.#streams.delete(i);
      const since = isHeard || !absence ? { from: performance.now(), reason: 'ended' } : absence;
      if (!this.#isOver) setTimeout(() => this.#open(i, since), RETRY);
    });
    request.end();
  }

  /** @param {number} i @param {string} text */
  #hear(i, text) {
    const data = /^data: (.*)$/m.exec(text)?.[1];
    if (data !== undefined) this.#heard.set(i, Number(data));
  }

  /** @param {string} who @param {{ from: number, reason: string }} absence */
  #back(who, { from, reason }) {
    this.away.push({ who, ms: performance.now() - from, at: performance.timeOrigin + from, reason });
  }
}
