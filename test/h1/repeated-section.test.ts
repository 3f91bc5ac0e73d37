/** Header sections and whole heads that a connection repeats are known again: each request must still be read as if it had come alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, read as transcriptOf } from './feed.ts';

const read = (input: string): string[] => linesOf(transcriptOf(input));
/** What each request is read as on a connection of its own. */
const alone = (requests: readonly string[]): string[] => requests.flatMap((request) => read(request));
const HOST = 'Host: a\r\nAccept: */*\r\n';

describe('a header section that comes again', () => {
  it('is that of its own request', () => {
    const requests = ['/1', '/2', '/3', '/4'].map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
    expect(read(requests.join(''))).toEqual(alone(requests));
    expect(alone(requests)).toHaveLength(8);
  });

  it('frames each body anew', () => {
    const requests = ['one', 'two', 'six', 'ten'].map((body) => `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n${body}`);
    expect(read(requests.join(''))).toEqual(alone(requests));
  });

  it('is judged again by the version: Host is needed in 1.1, chunks are refused in 1.0', () => {
    const bare = (version: string): string => `GET / HTTP/${version}\r\nConnection: keep-alive\r\n\r\n`;
    expect(read(bare('1.0').repeat(3) + bare('1.1')).at(-1)).toBe('error 400 bad-host');
    const chunked = (version: string): string =>
      `POST / HTTP/${version}\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(read(chunked('1.1').repeat(3) + chunked('1.0')).at(-1)).toBe('error 400 bad-transfer-coding');
  });

  it('ends a connection where it says so', () => {
    const kept = `GET / HTTP/1.1\r\n${HOST}\r\n`;
    const last = `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
    expect(read(kept.repeat(3) + last + kept)).toEqual([...alone([kept, kept, kept]), ...read(last)]);
  });

  it('is another one when a character differs, or a line more follows', () => {
    const lines = ['', 'X: 1\r\n', 'X: 2\r\n', 'x: 1\r\n', 'X: 1\r\nY: 1\r\n', 'X: 1\r\n', 'X: 1\r\n', '', ''];
    const requests = lines.map((line) => `GET / HTTP/1.1\r\n${HOST}${line}\r\n`);
    expect(read(requests.join(''))).toEqual(alone(requests));
  });

  it('is the same as read alone, for any few sections in any order', () => {
    const line = fc.constantFrom(
      'X: 1',
      'Cookie: a=b; c=d',
      'Connection: keep-alive',
      'Content-Length: 0',
      'Accept:',
      `Long: ${'v'.repeat(60)}`,
    );
    const section = fc.array(line, { maxLength: 3 }).map((lines) => lines.map((one) => `${one}\r\n`).join(''));
    const order = fc.array(fc.nat(2), { minLength: 3, maxLength: 7 });
    fc.assert(
      fc.property(fc.tuple(section, section, section), order, (sections, indices) => {
        const requests = indices.map((index) => `GET / HTTP/1.1\r\nHost: a\r\n${sections[index] ?? ''}\r\n`);
        const single = requests.map((request) => read(request));
        const end = single.findIndex((lines) => lines.some((text) => text.startsWith('error')));
        expect(read(requests.join(''))).toEqual((end === -1 ? single : single.slice(0, end + 1)).flat());
      }),
      { numRuns: 60 },
    );
  });
});

describe('a head that comes again as a whole', () => {
  const get = (target: string, lines = HOST): string => `GET ${target} HTTP/1.1\r\n${lines}\r\n`;

  it.each<[string, string[]]>([
    ['is read each time', Array.from({ length: 6 }, () => get('/a'))],
    [
      'is another one by its target',
      [...Array.from({ length: 4 }, () => get('/a')), get('/b'), get('/a'), get('/a'), get('/ab'), get('/a')],
    ],
    ['is another one by its method', ['GET', 'GET', 'GET', 'GET', 'PUT', 'HEAD', 'GET'].map((method) => get('/a').replace('GET', method))],
    [
      'is another one by its version',
      ['1.1', '1.1', '1.1', '1.1', '1.0', '1.1'].map((version) => get('/a', `${HOST}Connection: keep-alive\r\n`).replace('1.1', version)),
    ],
    [
      'is followed by a body of its own',
      ['one', 'two', 'six', 'GET', 'ten', 'all'].map((body) => `POST /a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n${body}`),
    ],
    [
      'is followed by chunks of its own',
      ['1', '22', '333', '4444', '1', ''].map(
        (body) =>
          `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body === '' ? '' : `${body.length}\r\n${body}\r\n`}0\r\n\r\n`,
      ),
    ],
  ])('%s', (_, requests) => {
    expect(read(requests.join(''))).toEqual(alone(requests));
  });

  it('may have empty lines before it', () => {
    expect(read(`${get('/a').repeat(4)}\r\n${get('/a')}\r\n\r\n${get('/a')}`)).toEqual(alone(Array.from({ length: 6 }, () => get('/a'))));
  });

  it('ends the connection each time it says so', () => {
    const closing = get('/a', `${HOST}Connection: close\r\n`);
    expect(read(get('/a').repeat(4) + closing + get('/a'))).toEqual([
      ...alone(Array.from({ length: 4 }, () => get('/a'))),
      ...read(closing),
    ]);
  });

  it('hides no fault behind it', () => {
    expect(read(`${get('/a').repeat(4)}GET /a HTTP/1.1\r\nHost: a\r\nAccept : x\r\n\r\n`).at(-1)).toBe('error 400 bad-field');
    expect(read(`${get('/a').repeat(4)}${get('/a').slice(0, -2)}`).at(-1)).toBe('midway');
  });

  it('is the same as read alone, for any few requests in any order', () => {
    const request = fc
      .tuple(fc.constantFrom('GET /', 'GET /a', 'POST /a', 'POST /'), fc.constantFrom('', 'x', 'yy'), fc.boolean())
      .map(([line, body, isChunked]) => {
        const chunks = `Transfer-Encoding: chunked\r\n\r\n${body === '' ? '' : `${body.length}\r\n${body}\r\n`}0\r\n\r\n`;
        return `${line} HTTP/1.1\r\nHost: a\r\n${isChunked ? chunks : `Content-Length: ${body.length}\r\n\r\n${body}`}`;
      });
    const runs = fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.tuple(request, request), runs, (two, order) => {
        const requests = order.flatMap(([index, times]) => Array.from({ length: times }, () => two[index] as string));
        expect(read(requests.join(''))).toEqual(alone(requests));
      }),
      { numRuns: 60 },
    );
  });
});
