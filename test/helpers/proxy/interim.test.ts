/**
 * Interim responses of an upstream on their way through the proxy (RFC 9110 §15.2).
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { asked, linesOf, OK, through, upstream } from './upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const log = vi.spyOn(console, 'error');
beforeEach(() => void log.mockReset().mockImplementation(() => {}));
afterEach(() => void log.mockReset());

/** The status of each head in a text, bodies being without a line that looks like one. */
function statusesOf(text: string): number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

it('sends a 103 on while the final response is not there yet', async () => {
  const { client, visit } = await asked(GET);
  visit.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n');
  await client.until(/\r\n\r\n$/);
  expect(client.received).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n');
  visit.send(OK);
  expect((await client.answers(1))[0]?.body).toBe('ok');
});

it('takes what belongs to the connection out of it, and all framing (RFC 9110 §7.6.1, §8.6)', async () => {
  const up = await upstream(
    `HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nProxy-Status: a\r\nContent-Length: 0\r\nX-End: \xe9\r\n\r\n${OK}`,
  );
  const client = await through(up.target);
  client.send(GET);
  await client.answers(1);
  expect(linesOf(client.received)).toEqual(['x-end: \xe9']);
});

it('sends several on in their order, each before the next has come', async () => {
  const { client, visit } = await asked(GET);
  visit.send('HTTP/1.1 102 Processing\r\n\r\n');
  await client.until(/^HTTP\/1\.1 102 Processing\r\n\r\n$/);
  visit.send('HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n');
  await client.until(/\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nX-A: 1\r\n\r\n$/);
  visit.send(`HTTP/1.1 199 Whatever\r\nX-A: 2\r\n\r\n${OK}`);
  await client.answers(1);
  expect(statusesOf(client.received)).toEqual([102, 103, 199, 200]);
});

it('sends on what comes in one packet with the final response, also for HEAD', async () => {
  const up = await upstream((visit, head) => {
    visit.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    if (!head.startsWith('HEAD')) visit.send('ok');
  });
  const client = await through(up.target);
  client.send(GET);
  await client.answers(1);
  client.send(`HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await client.closed();
  expect(statusesOf(client.received)).toEqual([103, 200, 103, 200]);
});

it('sends none to a client of HTTP/1.0 (RFC 9110 §15.2)', async () => {
  const up = await upstream(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
  const client = await through(up.target);
  client.send('GET / HTTP/1.0\r\n\r\n');
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
});

it('sends sixteen on at most, and then the final response', async () => {
  const up = await upstream('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(20) + OK);
  const client = await through(up.target);
  client.send(GET);
  const [answer] = await client.answers(1);
  expect([statusesOf(client.received), answer?.body]).toEqual([[...Array.from({ length: 16 }, () => 103), 200], 'ok']);
});

it('holds one for a pipelined request until the answer before it is out', async () => {
  const up = await upstream((visit, head) => {
    if (head.startsWith('GET /second')) visit.send('HTTP/1.1 103 Early Hints\r\nLink: </second>\r\n\r\n');
  });
  const client = await through(up.target);
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
  const [one, two] = [await up.visit(0), await up.visit(1)];
  await Promise.all([one.has(/\r\n\r\n$/), two.has(/\r\n\r\n$/)]);
  const [first, second] = one.text.startsWith('GET /first') ? [one, two] : [two, one];
  first.send('HTTP/1.1 103 Early Hints\r\nLink: </first>\r\n\r\n');
  await client.until(/<\/first>\r\n\r\n$/);
  expect(statusesOf(client.received)).toEqual([103]);
  first.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none');
  await client.until(/one.*<\/second>\r\n\r\n$/s);
  second.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
  const answers = await client.answers(2);
  expect(answers.map(({ body }) => body)).toEqual(['one', 'two']);
  expect(statusesOf(client.received)).toEqual([103, 200, 103, 200]);
});

it('does not wait any longer for the final response because of them', async () => {
  const up = await upstream((visit) => {
    const more = setInterval(() => visit.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 20);
    visit.socket.on('close', () => clearInterval(more));
  });
  const client = await through(up.target, { headersTimeout: 400 });
  client.send(GET);
  const [answer] = await client.answers(1);
  expect([answer?.status, statusesOf(client.received).at(0)]).toEqual([504, 103]);
  await (await up.visit()).closed();
});

it('drops those of an upstream whose response nobody waits for any more', async () => {
  const up = await upstream();
  const client = await through(up.target, { headersTimeout: 50 });
  client.send(GET);
  const visit = await up.visit();
  expect((await client.answers(1))[0]?.status).toBe(504);
  visit.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
  await visit.closed();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.answers(2);
  expect(statusesOf(client.received)).toEqual([504, 504]);
});
