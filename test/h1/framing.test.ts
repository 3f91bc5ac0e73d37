/**
 * How long is a body, does the connection go on, what does the client offer: RFC 9112 §6, §9.3, RFC 9110 §7.8, §10.1.1.
 */
import { describe, expect, it } from 'vitest';
import {
  CHUNKED,
  expectsContinue,
  isPersistent,
  NO_BODY,
  offeredUpgrade,
  requestLength,
  responseLength,
  UNTIL_CLOSE,
} from '../../src/h1/framing.ts';
import { type ParsedHead, parseHead } from '../../src/h1/parser.ts';
import { ProtocolError } from '../../src/http/errors/protocol-error.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';

function head(lines: readonly string[], version = '1.1'): ParsedHead {
  const parsed = parseHead(`POST / HTTP/${version}\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 0, DEFAULT_LIMITS);
  if (!parsed) throw new Error('The head has no end');
  return parsed;
}

/** The value of a function, or its refusal as `400 code`. */
function verdict(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.status} ${error.code}`;
    throw error;
  }
}

const length = (...lines: string[]): unknown => verdict(() => requestLength(head(lines)));
const oldLength = (...lines: string[]): unknown => verdict(() => requestLength(head(lines, '1.0')));

describe('the length of a request body', () => {
  it('is 0 when nothing is said of it (RFC 9112 §6.3 item 7)', () => {
    expect(length()).toBe(0);
    expect(length('Connection: Content-Length')).toBe(0);
  });

  it('is what Content-Length says, in decimal (RFC 9110 §8.6)', () => {
    expect(length('Content-Length: 0')).toBe(0);
    expect(length('Content-Length: 5')).toBe(5);
    expect(length('Content-Length: \t 5 \t')).toBe(5);
    expect(length('content-length:007')).toBe(7);
    expect(length('Content-Length: 9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(oldLength('Content-Length: 5')).toBe(5);
    expect(length('Content-Length: 5', 'Connection: Content-Length')).toBe(5);
  });

  it('is refused when Content-Length is not 1*DIGIT (RFC 9112 §6.3 item 5)', () => {
    for (const value of [
      '',
      '+5',
      '-5',
      '5,',
      ',5',
      '0x5',
      '5.0',
      '1e1',
      '5 5',
      '5\t5',
      '\xa05',
      '5\xa0',
      'five',
      '5;',
      '٥',
      '1_0',
      '5 ,5',
    ]) {
      const latin1 = Buffer.from(value).toString('latin1');
      expect(length(`Content-Length: ${latin1}`), value).toBe('400 bad-content-length');
    }
  });

  it('is refused when Content-Length is given twice, equal or not (RFC 9112 §6.3 item 5)', () => {
    expect(length('Content-Length: 5', 'Content-Length: 6')).toBe('400 bad-content-length');
    expect(length('Content-Length: 5', 'content-length: 5')).toBe('400 bad-content-length');
    expect(length('Content-Length: 5, 5')).toBe('400 bad-content-length');
    expect(length('Content-Length:', 'Content-Length: 5')).toBe('400 bad-content-length');
  });

  it('is refused with 413 when a double cannot hold it, never truncated', () => {
    for (const value of ['9007199254740992', '9007199254740993', '18446744073709551621', '4294967296000000000000005', '9'.repeat(400)]) {
      expect(length(`Content-Length: ${value}`), value).toBe('413 body-too-large');
    }
  });

  it('is told by chunks when Transfer-Encoding is chunked, in any case (RFC 9112 §6.1, §7)', () => {
    expect(length('Transfer-Encoding: chunked')).toBe(CHUNKED);
    expect(length('transfer-encoding: \tChunkED \t')).toBe(CHUNKED);
  });

  it('is refused when chunked is not the final coding, or is applied twice (RFC 9112 §6.3 item 4, §7)', () => {
    for (const value of [
      'chunked, gzip',
      'chunked, chunked',
      ',chunked',
      'chunked,',
      '',
      ',',
      'chunked, identity',
      'gzip, chunked, chunked',
      'gzip,, chunked',
    ]) {
      expect(verdictOfCoding(value), JSON.stringify(value)).toMatch(/^400 /);
    }
    expect(length('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')).toBe('400 bad-transfer-coding');
    expect(length('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')).toBe('400 bad-transfer-coding');
    expect(length('Transfer-Encoding:', 'Transfer-Encoding: chunked')).toBe('400 bad-transfer-coding');
  });

  it('is refused with 501 when the coding, or one before chunked, is not implemented (RFC 9112 §6.1)', () => {
    for (const value of [
      'gzip',
      'identity',
      'xchunked',
      'chunkedx',
      'chunked;a=b',
      '"chunked"',
      '\xa0chunked',
      'chunked\xa0',
      'chunked chunked',
    ]) {
      expect(verdictOfCoding(value), JSON.stringify(value)).toBe('501 unknown-transfer-coding');
    }
    expect(length('Transfer-Encoding: gzip, chunked')).toBe('501 unknown-transfer-coding');
    expect(length('Transfer-Encoding: gzip', 'Transfer-Encoding: Chunked')).toBe('501 unknown-transfer-coding');
    expect(length('Transfer-Encoding: identity, chunked')).toBe('501 unknown-transfer-coding');
  });

  it('is refused when both fields are there, in any order (RFC 9112 §6.1, §6.3 item 3)', () => {
    expect(length('Content-Length: 5', 'Transfer-Encoding: chunked')).toBe('400 bad-transfer-coding');
    expect(length('Transfer-Encoding: chunked', 'Content-Length: 5')).toBe('400 bad-transfer-coding');
    expect(length('Transfer-Encoding: gzip', 'Content-Length: 0')).toBe('400 bad-transfer-coding');
    expect(length('Transfer-Encoding: chunked', 'Content-Length:')).toBe('400 bad-transfer-coding');
  });

  it('is refused when Transfer-Encoding comes in HTTP/1.0 (RFC 9112 §6.1)', () => {
    expect(oldLength('Transfer-Encoding: chunked')).toBe('400 bad-transfer-coding');
    expect(oldLength('Transfer-Encoding: chunked', 'Connection: keep-alive')).toBe('400 bad-transfer-coding');
  });

  function verdictOfCoding(value: string): unknown {
    return verdict(() => requestLength(head([`Transfer-Encoding: ${value}`])));
  }
});

describe('persistence', () => {
  const persists = (version: string, ...lines: string[]): boolean => isPersistent(head(lines, version));

  it('is the default of HTTP/1.1 and not of HTTP/1.0 (RFC 9112 §9.3)', () => {
    expect(persists('1.1')).toBe(true);
    expect(persists('1.0')).toBe(false);
  });

  it('ends with close, in any case, as any member of any line (RFC 9112 §9.3, §9.6)', () => {
    for (const value of ['close', 'CLOSE', ' close ', 'keep-alive, close', 'close, keep-alive', 'a,,\tClose\t,b', 'upgrade,close']) {
      expect(persists('1.1', `Connection: ${value}`), value).toBe(false);
      expect(persists('1.0', `Connection: ${value}`), value).toBe(false);
    }
    expect(persists('1.1', 'Connection: keep-alive', 'Connection: close')).toBe(false);
    expect(persists('1.0', 'Connection: close', 'Connection: keep-alive')).toBe(false);
  });

  it('is not ended by what only holds the word', () => {
    for (const value of ['closed', 'not-close', 'close-notify', '"close"', 'clos', 'x close', '\xa0close']) {
      expect(persists('1.1', `Connection: ${value}`), value).toBe(true);
    }
  });

  it('is asked for by keep-alive in HTTP/1.0 (RFC 9112 §9.3, appendix C.2.2)', () => {
    expect(persists('1.0', 'Connection: keep-alive')).toBe(true);
    expect(persists('1.0', 'Connection: foo', 'Connection: Keep-Alive')).toBe(true);
    expect(persists('1.0', 'Connection: keep-alives')).toBe(false);
    expect(persists('1.0', 'Keep-Alive: timeout=5')).toBe(false);
  });
});

describe('an offer to upgrade', () => {
  it('is Upgrade together with Connection: upgrade (RFC 9110 §7.8)', () => {
    expect(offeredUpgrade(head(['Connection: Upgrade', 'Upgrade: websocket']))).toBe('websocket');
    expect(offeredUpgrade(head(['Upgrade: h2c', 'Connection: keep-alive, upgrade']))).toBe('h2c');
    expect(offeredUpgrade(head(['Connection: Upgrade', 'Upgrade: a', 'Upgrade: b']))).toBe('a,b');
  });

  it('is none with one of the two, or in HTTP/1.0 (RFC 9110 §7.8)', () => {
    expect(offeredUpgrade(head(['Upgrade: websocket']))).toBeUndefined();
    expect(offeredUpgrade(head(['Connection: upgrade']))).toBeUndefined();
    expect(offeredUpgrade(head(['Connection: keep-alive', 'Upgrade: websocket']))).toBeUndefined();
    expect(offeredUpgrade(head(['Connection: upgrade', 'Upgrade: websocket'], '1.0'))).toBeUndefined();
  });
});

describe('an expectation', () => {
  const expected = (version: string, ...lines: string[]): unknown => verdict(() => expectsContinue(head(lines, version)));

  it('is 100-continue in any case, and never in HTTP/1.0 (RFC 9110 §10.1.1)', () => {
    expect(expected('1.1')).toBe(false);
    expect(expected('1.1', 'Expect: 100-continue')).toBe(true);
    expect(expected('1.1', 'Expect: 100-Continue')).toBe(true);
    expect(expected('1.0', 'Expect: 100-continue')).toBe(false);
    expect(expected('1.0', 'Expect: magic')).toBe(false);
  });

  it('is refused with 417 when it is any other (RFC 9110 §10.1.1)', () => {
    for (const value of ['magic', '100-continues', '', '100-continue, magic', '100-continue,100-continue', '100-continue;a=b']) {
      expect(expected('1.1', `Expect: ${value}`), value).toBe('417 bad-expectation');
    }
    expect(expected('1.1', 'Expect: 100-continue', 'Expect: magic')).toBe('417 bad-expectation');
  });
});

describe('the length of a response', () => {
  it('is never announced for 1xx, 204 and 304, whatever the handler gave (RFC 9110 §8.6, RFC 9112 §6.1)', () => {
    for (const status of [100, 101, 103, 199, 204, 304]) {
      expect(responseLength(status, false, 5), String(status)).toBe(NO_BODY);
      expect(responseLength(status, false, undefined), String(status)).toBe(NO_BODY);
      expect(responseLength(status, true, undefined), String(status)).toBe(NO_BODY);
    }
  });

  it('is 0 for 205, which has no body but says so (RFC 9110 §15.3.6)', () => {
    expect(responseLength(205, false, 5)).toBe(0);
    expect(responseLength(205, true, undefined)).toBe(0);
  });

  it('is the number of bytes where that is known (RFC 9112 §6.2)', () => {
    expect(responseLength(200, false, 0)).toBe(0);
    expect(responseLength(404, true, 12)).toBe(12);
  });

  it('is told by chunks, or to an HTTP/1.0 client by the end of the connection (RFC 9112 §6.1, §6.3 item 8)', () => {
    expect(responseLength(200, false, undefined)).toBe(CHUNKED);
    expect(responseLength(200, true, undefined)).toBe(UNTIL_CLOSE);
  });
});
