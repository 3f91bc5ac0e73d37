/**
 * Drops a 100 (Continue) that the upstream was not asked for.
 *
 * We never wait for one: clients that ask for it get it from us. Some servers send it all the same, and a client has to tolerate that by
 * dropping it (RFC 9110 §15.2.1). undici closes the connection instead and treats the response as lost, so such a head is cut out before
 * undici reads it.
 *
 * @module
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** All of 1xx but 101, which is final. */
const INTERIM = /^HTTP\/1\.1 1(?!01)\d\d$/;
/** The part common to all of them. */
const START = 'HTTP/1.1 1';
const CONTINUE = '100';
const STATUS_END = 'HTTP/1.1 1xx'.length;
const HEAD_END = '\r\n\r\n';
/** A longer interim head is passed on as it is: undici refuses it. Bytes. */
const MAX_HEAD = 64 * 1024;

/** Filters unasked heads out of the bytes of one connection. Interim heads come only before the final one: nothing else is looked at. */
export class ContinueFilter {
  #isBeforeHead = false;
  /** The beginning of a head that may be an interim one. */
  #held: Buffer | undefined;

  /** Notes that a request goes out: what comes next is the head of its response. */
  expectHead(): void {
    this.#isBeforeHead = true;
  }

  /** Filters a piece. @returns The bytes to be read now; undefined: none yet. */
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
