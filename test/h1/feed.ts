/**
 * The reading machine as the tests use it: an input is read whole and in pieces, and comes to the same.
 *
 * @module
 */
import { expect } from 'vitest';
import { END, HeadEvent, RequestReader } from '../../src/h1/request-reader.ts';
import { ProtocolError } from '../../src/http/errors/protocol-error.ts';
import { DEFAULT_LIMITS, type HeadLimits } from '../../src/http/request/head-limits.ts';
import { createFeed } from '../fuzz/feed.mjs';

/** A request as the machine's events describe it. */
export interface ReadRequest {
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly length: number;
  readonly isPersistent: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: string | undefined;
  /** All its data joined, one character a byte. */
  readonly body: string;
  readonly isComplete: boolean;
}

/** All that became of an input. */
export interface Transcript {
  readonly requests: readonly ReadRequest[];
  /** `400 bad-field`, or undefined. */
  readonly error: string | undefined;
  readonly isMidway: boolean;
  readonly isClosed: boolean;
}

/** What comes behind an input: a request unlike all others. */
export const TRAILING = 'GET /trailing HTTP/1.1\r\nHost: t\r\n\r\n';

/** Reads pieces, one character a byte, and pulls every event after each. */
export const feed: (pieces: Iterable<string>, limits?: HeadLimits) => Transcript = createFeed({
  RequestReader,
  HeadEvent,
  END,
  ProtocolError,
  DEFAULT_LIMITS,
});

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

/**
 * A transcript as lines: for each request its head, as JSON, and `end` with its body or, when it is not complete, `data` with what has come of it;
 * then `error` with the error, or `midway`.
 */
export function linesOf({ requests, error, isMidway }: Transcript): string[] {
  const lines = requests.flatMap(({ line, length, isPersistent, expectsContinue, upgrade, fields, body, isComplete }) => {
    const head = JSON.stringify([...line.split(' '), length, isPersistent, expectsContinue, upgrade ?? null, fields]);
    if (isComplete) return [head, `end ${body}`];
    return body === '' ? [head] : [head, `data ${body}`];
  });
  if (error !== undefined) return [...lines, `error ${error}`];
  return isMidway ? [...lines, 'midway'] : lines;
}
