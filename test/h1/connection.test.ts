/**
 * The reading machine: the order of its events, its states, its contract about buffers. RFC 9112 §9.3.
 */
import { describe, expect, it } from 'vitest';
import { CHUNKED } from '../../src/h1/framing.ts';
import { END, HeadEvent, RequestReader } from '../../src/h1/request-reader.ts';
import { ProtocolError } from '../../src/http/errors/protocol-error.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { errorOf, feed, read, requestIn, TRAILING } from './feed.ts';

const get = (target: string, ...lines: string[]): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const post = (body: string): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const linesOf = (input: string): string[] => read(input).requests.map((request) => request.line);

function readerOf(input: string): RequestReader {
  const reader = new RequestReader(DEFAULT_LIMITS);
  reader.push(Buffer.from(input, 'latin1'));
  return reader;
}

describe('a request', () => {
  it('is its head, its data, and its end (RFC 9112 §2.1)', () => {
    expect(requestIn(post('hello'))).toEqual({
      line: 'POST / 1.1',
      fields: [
        ['Host', 'a'],
        ['Content-Length', '5'],
      ],
      length: 5,
      isPersistent: true,
      expectsContinue: false,
      upgrade: undefined,
      body: 'hello',
      isComplete: true,
    });
  });

  it('has a body only where its head announces one, whatever its method (RFC 9112 §6)', () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'FOO']) {
      const head = `${method} / HTTP/1.1\r\nHost: a\r\n`;
      expect(requestIn(`${head}\r\n`), method).toMatchObject({ length: 0, body: '' });
      expect(requestIn(`${head}Content-Length: 3\r\n\r\nabc`), method).toMatchObject({ length: 3, body: 'abc' });
      expect(requestIn(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`), method).toMatchObject({
        length: CHUNKED,
        body: 'abc',
      });
    }
  });

  it('may hold in its body what looks like requests', () => {
    expect(requestIn(post(TRAILING + '\r\n\r\n')).body).toBe(TRAILING + '\r\n\r\n');
  });

  it('carries what its head says of the connection', () => {
    expect(requestIn(get('/', 'Expect: 100-continue', 'Connection: upgrade', 'Upgrade: x'))).toMatchObject({
      expectsContinue: true,
      upgrade: 'x',
    });
  });
});

describe('pipelined requests', () => {
  it('come in their order, each with its own body (RFC 9112 §9.3.2)', () => {
    const chunked = 'PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n';
    const { requests } = read(`${get('/1')}${post('one')}\r\n${chunked}${get('/2')}${post('')}`);
    expect(requests.map(({ line, body }) => `${line} ${body}`)).toEqual([
      'GET /1 1.1 ',
      'POST / 1.1 one',
      'PUT /c 1.1 x',
      'GET /2 1.1 ',
      'POST / 1.1 ',
    ]);
  });

  it('come whole up to one that is malformed', () => {
    const { requests, error } = read(`${get('/1')}${get('/2')}BAD\r\n`);
    expect(requests.map((request) => request.isComplete)).toEqual([true, true]);
    expect(error).toBe('400 bad-request-line');
  });

  it('are not read behind close (RFC 9112 §9.6)', () => {
    expect(linesOf(get('/1') + get('/2', 'Connection: close') + get('/3'))).toEqual(['GET /1 1.1', 'GET /2 1.1']);
    expect(linesOf(get('/1', 'Connection: close') + '\0\n\0')).toEqual(['GET /1 1.1']);
    expect(linesOf('GET / HTTP/1.0\r\n\r\n' + get('/2'))).toEqual(['GET / 1.0']);
  });

  it('number ten thousand in little time', () => {
    const start = performance.now();
    const reader = readerOf(get('/').repeat(10_000));
    let count = 0;
    for (let event = reader.next(); event !== undefined; event = reader.next()) if (event === END) count++;
    expect(count).toBe(10_000);
    expect(performance.now() - start).toBeLessThan(2000); // about 20 ms; copying the rest for each would take minutes
  });
});

describe('a request cut short', () => {
  it('is midway at every byte, and never an error', () => {
    const input = post('hello');
    for (let length = 1; length < input.length; length++) {
      expect(feed([input.slice(0, length)]), String(length)).toMatchObject({ error: undefined, isMidway: true, isClosed: false });
    }
  });
});

describe('a refusal', () => {
  it('closes the machine: nothing that follows is read (RFC 9112 §2.2)', () => {
    const reader = readerOf(`GET\r\n${get('/1')}`);
    expect(() => reader.next()).toThrow(ProtocolError);
    expect(reader.isClosed).toBe(true);
    reader.push(Buffer.from(get('/2')));
    expect(reader.next()).toBeUndefined();
    expect(reader.isMidway).toBe(false);
  });

  it('comes inside a body as well', () => {
    expect(errorOf('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')).toBe('400 bad-chunk');
  });

  it('tells whether the request was a HEAD, whose answer has no content (RFC 9110 §9.3.2)', () => {
    const refusing = (input: string): boolean => {
      const reader = readerOf(input);
      expect(() => {
        while (reader.next() !== undefined);
      }).toThrow(ProtocolError);
      return reader.partialHead.method === 'HEAD';
    };
    expect(refusing('HEAD / HTTP/1.1\r\n\r\n')).toBe(true);
    expect(refusing('HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n')).toBe(true);
    expect(refusing('\r\nHEAD / HTTP/1.1\r\n\r\n')).toBe(true);
    expect(refusing('HEADS / HTTP/1.1\r\n\r\n')).toBe(false);
    expect(refusing('GET / HTTP/1.1\r\n\r\n')).toBe(false);
    expect(refusing(`${get('/')}HEAD /\r\n`)).toBe(true);
    expect(refusing(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET\r\n`)).toBe(false);
  });
});

describe('the reader', () => {
  it('gives one event at a time, and waits for whoever pulls', () => {
    const reader = readerOf(post('hello') + get('/2'));
    expect(reader.next()).toBeInstanceOf(HeadEvent);
    expect(reader.hasInput).toBe(true);
    expect((reader.next() as Buffer).toString()).toBe('hello');
    expect(reader.isMidway).toBe(true); // END is still to come
    expect(reader.next()).toBe(END);
    expect(reader.isMidway).toBe(true); // the next head is here
    expect((reader.next() as HeadEvent).target).toBe('/2');
    expect(reader.next()).toBe(END);
    expect(reader.next()).toBeUndefined();
    expect(reader.isMidway).toBe(false);
    expect(reader.hasInput).toBe(false);
  });

  it('keeps what has not been pulled when the buffer is used again', () => {
    const reader = new RequestReader(DEFAULT_LIMITS);
    const shared = Buffer.alloc(200);
    reader.push(shared, shared.write(get('/1') + get('/2')));
    expect((reader.next() as HeadEvent).target).toBe('/1');
    reader.keep();
    shared.fill('!');
    expect(reader.next()).toBe(END);
    expect((reader.next() as HeadEvent).target).toBe('/2');
  });

  it('takes more in while earlier input waits to be pulled', () => {
    const reader = new RequestReader(DEFAULT_LIMITS);
    for (const byte of get('/1') + post('x')) {
      reader.push(Buffer.from(byte));
      reader.keep();
    }
    expect((reader.next() as HeadEvent).target).toBe('/1');
    expect(reader.next()).toBe(END);
    expect((reader.next() as HeadEvent).method).toBe('POST');
    expect((reader.next() as Buffer).toString()).toBe('x');
  });

  it('hands over the bytes behind an upgrade, and reads nothing more', () => {
    const reader = readerOf(`${get('/', 'Connection: upgrade', 'Upgrade: x')}\x81\x85abc`);
    reader.next();
    reader.next();
    expect(reader.release().toString('latin1')).toBe('\x81\x85abc');
    expect(reader.isClosed).toBe(true);
    reader.push(Buffer.from(get('/')));
    expect(reader.next()).toBeUndefined();
  });

  it('reads nothing more once it is closed', () => {
    const reader = readerOf(get('/'));
    reader.close();
    expect(reader.next()).toBeUndefined();
    expect(reader.isMidway).toBe(false);
  });
});
