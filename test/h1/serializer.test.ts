/**
 * Response heads as bytes: RFC 9112 §4, §5, §7.1.
 */
import { describe, expect, it } from 'vitest';
import { CHUNKED, NO_BODY, UNTIL_CLOSE } from '../../src/h1/framing.ts';
import { serializedOf } from '../../src/h1/serialized-fields.ts';
import { bodylessLength, CLOSE, CONTINUE, chunkHead, KEEP_ALIVE, LAST_CHUNK, serializeHead, statusLine } from '../../src/h1/serializer.ts';
import { HeaderList, type HeadersInit } from '../../src/http/header-list.ts';

const DATE = 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n';
const fields = (init: HeadersInit) => HeaderList.of(init).wire;

describe('a status line', () => {
  it('has version, status and reason phrase (RFC 9112 §4)', () => {
    expect(statusLine(200)).toBe('HTTP/1.1 200 OK\r\n');
    expect(statusLine(404)).toBe('HTTP/1.1 404 Not Found\r\n');
  });

  it('keeps the space before a reason phrase that is empty (RFC 9112 §4)', () => {
    expect(statusLine(299)).toBe('HTTP/1.1 299 \r\n');
  });
});

describe('a response head', () => {
  it('has status line, fields, date, connection and length in this order', () => {
    const head = serializeHead(200, fields({ 'X-A': '1', 'Set-Cookie': ['a=b', 'c=d'] }), DATE, 5, KEEP_ALIVE);
    expect(head).toBe(
      `HTTP/1.1 200 OK\r\nX-A: 1\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n${DATE}Connection: keep-alive\r\nContent-Length: 5\r\n\r\n`,
    );
  });

  it('announces chunks, or nothing where the connection or the status ends the body (RFC 9112 §6)', () => {
    const lengthLine = (length: number): string =>
      serializeHead(200, fields([]), '', length, CLOSE).replace('HTTP/1.1 200 OK\r\nConnection: close\r\n', '');
    expect(lengthLine(0)).toBe('Content-Length: 0\r\n\r\n');
    expect(lengthLine(CHUNKED)).toBe('Transfer-Encoding: chunked\r\n\r\n');
    expect(lengthLine(UNTIL_CLOSE)).toBe('\r\n');
    expect(lengthLine(NO_BODY)).toBe('\r\n');
  });

  it('leaves out what the handler said of framing and connection (RFC 9110 §7.6.1)', () => {
    const said = { 'Content-Length': '1', 'transfer-encoding': 'x', Connection: 'x', 'KEEP-ALIVE': 'x', Upgrade: 'x' };
    expect(serializeHead(200, fields(said), DATE, 5, CLOSE)).toBe(
      `HTTP/1.1 200 OK\r\n${DATE}Connection: close\r\nContent-Length: 5\r\n\r\n`,
    );
  });

  it("keeps the handler's own date (RFC 9110 §6.6.1)", () => {
    expect(serializeHead(200, fields({ date: 'then' }), DATE, 0, CLOSE)).toBe(
      'HTTP/1.1 200 OK\r\ndate: then\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('is made anew when anything of it changes, though the last one is kept', () => {
    const shared = fields({ A: 'b' });
    const made = (): string[] => [
      serializeHead(200, shared, DATE, 5, KEEP_ALIVE),
      serializeHead(200, shared, DATE, 6, KEEP_ALIVE),
      serializeHead(200, shared, DATE, 6, CLOSE),
      serializeHead(201, shared, DATE, 6, CLOSE),
      serializeHead(201, shared, 'Date: x\r\n', 6, CLOSE),
      serializeHead(201, shared, 'Date: x\r\n', CHUNKED, CLOSE),
      serializeHead(200, shared, DATE, 5, KEEP_ALIVE),
    ];
    const start = 'HTTP/1.1 200 OK\r\nA: b\r\n';
    expect(made()).toEqual([
      `${start}${DATE}Connection: keep-alive\r\nContent-Length: 5\r\n\r\n`,
      `${start}${DATE}Connection: keep-alive\r\nContent-Length: 6\r\n\r\n`,
      `${start}${DATE}Connection: close\r\nContent-Length: 6\r\n\r\n`,
      `HTTP/1.1 201 Created\r\nA: b\r\n${DATE}Connection: close\r\nContent-Length: 6\r\n\r\n`,
      'HTTP/1.1 201 Created\r\nA: b\r\nDate: x\r\nConnection: close\r\nContent-Length: 6\r\n\r\n',
      'HTTP/1.1 201 Created\r\nA: b\r\nDate: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
      `${start}${DATE}Connection: keep-alive\r\nContent-Length: 5\r\n\r\n`,
    ]);
  });

  it('is kept with the list, but never taken from what another engine has kept there', () => {
    const shared = fields({ A: 'b' });
    const head = serializeHead(200, shared, DATE, 5, CLOSE);
    expect(shared.kept).toBe(serializedOf(shared));
    shared.kept = { status: 200, date: DATE, connection: CLOSE, length: 5, head: 'of another engine' };
    expect(serializeHead(200, shared, DATE, 5, CLOSE)).toBe(head);
  });
});

describe('a response without a body', () => {
  it('tells the length of 200 only with 304 (RFC 9110 §8.6)', () => {
    expect(bodylessLength(304, fields({ 'Content-Length': '12' }))).toBe(12);
    expect(bodylessLength(304, fields([]))).toBe(NO_BODY);
    expect(bodylessLength(204, fields({ 'Content-Length': '12' }))).toBe(NO_BODY);
    expect(bodylessLength(205, fields({ 'Content-Length': '12' }))).toBe(0); // RFC 9110 §15.3.6
  });
});

describe('a chunk', () => {
  it('is opened by its size in hexadecimal, and the last one by 0 (RFC 9112 §7.1)', () => {
    expect(chunkHead(1)).toBe('1\r\n');
    expect(chunkHead(65_536)).toBe('10000\r\n');
    expect(LAST_CHUNK).toBe('0\r\n\r\n');
  });
});

describe('100 (Continue)', () => {
  it('is a status line and an empty line (RFC 9110 §15.2.1)', () => {
    expect(CONTINUE).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  });
});
