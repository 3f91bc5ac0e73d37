/**
 * 100 (Continue) from an upstream that was not asked for it.
 *
 * We never wait for one: whoever has asked us was answered by us. Some servers send it all the same, and a client has to bear that: it may drop it
 * (RFC 9110 §15.2.1). undici closes the connection instead and takes the response for lost, so that such a head is cut out before undici reads it.
 *
 * @module
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** All of 1xx but 101, which is final. */
const INTERIM = /^HTTP\/1\.1 1(?!01)\d\d$/;
/** As far as all of them agree. */
const START = 'HTTP/1.1 1';
const CONTINUE = '100';
const STATUS_END = 'HTTP/1.1 1xx'.length;
const HEAD_END = '\r\n\r\n';
/** A longer interim head is passed on as it is: undici refuses it. Bytes. */
const MAX_HEAD = 64 * 1024;

/** What comes on one connection, without the heads that nobody asked for. Interim heads stand in front of the final one only: nothing else is looked at. */
export class ContinueFilter {
  #isBeforeHead = false;
  /** The beginning of a head that may be an interim one. */
  #held: Buffer | undefined;

  /** A request goes out: the next that comes is the head of its response. */
  expectHead(): void {
    this.#isBeforeHead = true;
  }

  /** @returns What of it is to be read now; undefined: nothing yet. */
  pass(piece: Buffer): Buffer | undefined {
    if (!this.#isBeforeHead) return piece;
    let rest = this.#held ? Buffer.concat([this.#held, piece]) : piece;
    this.#held = undefined;
    const passed: Buffer[] = [];
    while (this.#isBeforeHead) {
      const start = rest.toString('latin1', 0, STATUS_END);
      const end = INTERIM.test(start) ? rest.indexOf(HEAD_END) : -1;
      if (end !== -1) {
        if (!start.endsWith(CONTINUE)) passed.push(rest.subarray(0, end + HEAD_END.length));
        rest = rest.subarray(end + HEAD_END.length);
      } else if (mayBecomeInterim(start) && rest.length <= MAX_HEAD) {
        this.#held = rest.length > 0 ? rest : undefined;
        break;
      } else {
        this.#isBeforeHead = false;
        passed.push(rest);
      }
    }
    return passed.length > 1 ? Buffer.concat(passed) : passed[0];
  }
}

function mayBecomeInterim(start: string): boolean {
  if (start.length < STATUS_END) return START.startsWith(start.slice(0, START.length));
  return INTERIM.test(start);
}

const filters = new WeakMap<object, ContinueFilter>();

subscribe('undici:client:sendHeaders', (message) => filters.get((message as { readonly socket: object }).socket)?.expectHead());

/** Cuts such heads out of what undici reads from a connection. */
export function dropUnaskedContinue(socket: Socket): void {
  const filter = new ContinueFilter();
  filters.set(socket, filter);
  const read = socket.read.bind(socket);
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const piece = read(size) as Buffer | null;
      const passed = piece && filter.pass(piece);
      if (passed !== undefined) return passed;
    }
  };
}
