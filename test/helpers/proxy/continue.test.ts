/**
 * 100 (Continue) from an upstream that nobody has asked for it (RFC 9110 §15.2: a client has to bear it).
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ContinueFilter } from '../../../src/helpers/proxy/unasked-continue.ts';
import { asked, OK, through, upstream } from './upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const log = vi.spyOn(console, 'error');
beforeEach(() => void log.mockReset().mockImplementation(() => {}));
afterEach(() => void log.mockReset());

describe('through the proxy', () => {
  it.each([
    ['alone', CONTINUE],
    ['twice, with fields', `HTTP/1.1 100 Continue\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n${CONTINUE}`],
    ['without a reason', 'HTTP/1.1 100 \r\n\r\n'],
  ])('the response behind it is the answer: %s', async (_, unasked) => {
    const up = await upstream(unasked + OK);
    const client = await through(up.target);
    client.send(GET);
    await client.answers(1);
    client.send(GET);
    const answers = await client.answers(2);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'ok'],
      [200, 'ok'],
    ]);
    expect(client.received).not.toMatch(/HTTP\/1\.1 1|X-A/);
    expect(up.visits).toHaveLength(1); // the connection was good for the next request
  });

  it('comes before the response, in pieces, between other interim responses', async () => {
    const { client, visit } = await asked(GET);
    visit.send(`HTTP/1.1 1`);
    visit.send(`00 Continue\r\n\r`);
    visit.send(`\n${HINTS}HTTP/1.1 100 Co`);
    await client.until(/103 Early Hints.*\r\n\r\n$/s);
    visit.send(`ntinue\r\n\r\n`);
    visit.send(OK);
    expect((await client.answers(1))[0]?.body).toBe('ok');
    expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 200']);
  });

  it('comes while the body of the request is on its way', async () => {
    const up = await upstream();
    const client = await through(up.target, {}, { streamBody: () => true });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
    const visit = await up.visit();
    await visit.has(/01234$/);
    visit.send(CONTINUE);
    client.send('56789');
    await visit.has(/0123456789$/);
    visit.send(OK);
    expect((await client.answers(1))[0]?.body).toBe('ok');
  });

  it('is left alone where it is content', async () => {
    const { client, visit } = await asked(GET);
    visit.send(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * CONTINUE.length}\r\n\r\n`);
    await client.until(/\r\n\r\n$/);
    visit.send(CONTINUE);
    await client.until(/100 Continue\r\n\r\n$/);
    visit.send(CONTINUE);
    expect((await client.answers(1))[0]?.body).toBe(CONTINUE + CONTINUE);
  });

  it.each([
    ['is cut', 'HTTP/1.1 100 Conti', true],
    ['has no end', `HTTP/1.1 100 Continue\r\nX: ${'a'.repeat(70_000)}`, false],
    ['stands before a response that is none', `${CONTINUE}SSH-2.0-x1\r\n`, false],
  ])('does not make a response of what is none: %s', async (_, text, ends) => {
    const up = await upstream((visit) => {
      visit.send(text);
      if (ends) visit.socket.end();
    });
    const client = await through(up.target);
    client.send(GET);
    expect((await client.answers(1))[0]?.status).toBe(502);
  });
});

describe('ContinueFilter', () => {
  const kinds = fc.constantFrom(CONTINUE, 'HTTP/1.1 100 \r\nX: 1\r\n\r\n', HINTS, 'HTTP/1.1 199 X\r\n\r\n');
  const finals = fc.constantFrom(
    `${OK}HTTP/1.1 100 Continue\r\n\r\n`,
    'HTTP/1.1 101 Switching\r\n\r\nbytes',
    'HTTP/1.1 404 x\r\n\r\n',
    'HTTP/1.0 100 x',
    'nonsense',
  );

  it('passes all but these heads, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 6 }), finals, fc.array(fc.nat({ max: 200 })), (interims, final, cuts) => {
        const filter = new ContinueFilter();
        filter.expectHead();
        const bytes = Buffer.from(interims.join('') + final, 'latin1');
        const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length))].toSorted((a, b) => a - b);
        const pieces = [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        const passed = pieces.map((piece) => filter.pass(piece)?.toString('latin1') ?? '').join('');
        expect(passed).toBe(interims.filter((head) => !head.startsWith('HTTP/1.1 100')).join('') + final);
      }),
      { numRuns: 1000 },
    );
  });

  it('looks at nothing before a request has gone out', () => {
    const filter = new ContinueFilter();
    expect(filter.pass(Buffer.from(CONTINUE))?.toString()).toBe(CONTINUE);
  });
});
