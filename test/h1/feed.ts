/**
 * Feeds the reading machine as sockets do: through one buffer that is overwritten after each read, in pieces of any size.
 *
 * @module
 */
import { expect } from 'vitest';
import { DEFAULT_LIMITS, type HeadLimits } from '../../src/h1/limits.ts';
import { END, HeadEvent, RequestReader } from '../../src/h1/request-reader.ts';
import { ProtocolError } from '../../src/http/protocol-error.ts';

/** A request as the machine's events tell of it. */
export interface ReadRequest {
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly length: number;
  readonly isPersistent: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: string | undefined;
  /** All its data joined, one character a byte. */
  body: string;
  isComplete: boolean;
}

/** All that became of an input. */
export interface Transcript {
  readonly requests: readonly ReadRequest[];
  /** `400 bad-field`, or undefined. */
  readonly error: string | undefined;
  readonly isMidway: boolean;
  readonly isClosed: boolean;
}

/** What lies in the read buffer behind, and after, what was read: line feeds, so that a look beyond the end would find some. */
const STALE = 0x0a;

/** What comes behind an input: a request that can be told from all others. */
export const TRAILING = 'GET /trailing HTTP/1.1\r\nHost: t\r\n\r\n';

/** Reads pieces, one character a byte, and pulls every event after each. */
export function feed(pieces: Iterable<string>, limits: HeadLimits = DEFAULT_LIMITS): Transcript {
  const reader = new RequestReader(limits);
  const shared = Buffer.alloc(64 * 1024);
  const requests: ReadRequest[] = [];
  let error: string | undefined;
  for (const piece of pieces) {
    shared.fill(STALE);
    const length = shared.write(piece, 'latin1');
    if (length !== piece.length) throw new Error('A piece is larger than the read buffer');
    reader.push(shared, length);
    try {
      pull(reader, requests);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError) || error !== undefined) throw thrown;
      error = `${thrown.status} ${thrown.code}`;
    }
    reader.keep();
  }
  return { requests, error, isMidway: reader.isMidway, isClosed: reader.isClosed };
}

function pull(reader: RequestReader, requests: ReadRequest[]): void {
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    const last = requests.at(-1);
    if (event instanceof HeadEvent) {
      if (last && !last.isComplete) throw new Error('A head came inside a request');
      requests.push(requestOf(event));
    } else if (!last || last.isComplete) throw new Error('Data or an end came outside of a request');
    else if (event === END) last.isComplete = true;
    else {
      if (event.length === 0) throw new Error('Data came that holds nothing');
      last.body += event.toString('latin1');
    }
  }
}

function requestOf(head: HeadEvent): ReadRequest {
  return {
    line: `${head.method} ${head.target} ${head.httpVersion}`,
    fields: head.lines.pairs(),
    length: head.length,
    isPersistent: head.isPersistent,
    expectsContinue: head.expectsContinue,
    upgrade: head.upgrade,
    body: '',
    isComplete: false,
  };
}

/**
 * Reads an input whole, byte by byte, at every split point, and with bytes behind it, and expects the same of each.
 *
 * @returns What it came to.
 */
export function read(input: string, limits: HeadLimits = DEFAULT_LIMITS): Transcript {
  const whole = feed([input], limits);
  expect(feed(input, limits), 'byte by byte').toEqual(whole);
  const odd = splits(input).find((pieces) => !isSame(feed(pieces, limits), whole));
  if (odd) expect(feed(odd, limits), `in two pieces, ${odd[0].length} bytes first`).toEqual(whole);
  if (whole.error !== undefined || whole.isClosed) {
    expect(feed([input + TRAILING], limits), 'with bytes behind it').toEqual(whole);
    expect(feed([input, TRAILING], limits), 'with bytes after it').toEqual(whole);
  } else if (!whole.isMidway) {
    const both = { ...whole, requests: [...whole.requests, ...feed([TRAILING]).requests] };
    expect(feed([input + TRAILING], limits), 'with a request behind it').toEqual(both);
    expect(feed(input + TRAILING, limits), 'with a request behind it, byte by byte').toEqual(both);
  }
  return whole;
}

function splits(input: string): [string, string][] {
  return Array.from({ length: input.length + 1 }, (_, at) => [input.slice(0, at), input.slice(at)]);
}

function isSame(one: Transcript, other: Transcript): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The error of an input, the same however it is cut. */
export function errorOf(input: string, limits?: HeadLimits): string | undefined {
  return read(input, limits).error;
}

/** The one complete request of an input, the same however it is cut. */
export function requestIn(input: string, limits?: HeadLimits): ReadRequest {
  const { requests, error, isMidway } = read(input, limits);
  expect({ error, isMidway }).toEqual({ error: undefined, isMidway: false });
  const [request, ...others] = requests;
  expect(others).toEqual([]);
  if (!request) throw new Error('No request was read');
  return request;
}
