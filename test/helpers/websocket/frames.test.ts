/**
 * What is on the wire after the handshake: RFC 6455 §5 to §7, with bytes made by hand.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Closing, type WebSocketConnection, type WebSocketOptions, websocket } from '../../../src/websocket.ts';
import { BINARY, CLOSE, CONTINUATION, closeFrame, frame, PING, PONG, parseFrames, type SeenFrame, TEXT } from '../../support/frames.ts';
import { serve, type Talk, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const HANDSHAKE = [
  'GET /chat HTTP/1.1',
  'Host: a',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Extensions: permessage-deflate',
  '\r\n',
].join('\r\n');

/** A server that keeps what it is sent, says it again, and knows how the connection ended. */
async function echo(
  options: WebSocketOptions = {},
): Promise<{ port: number; messages: (string | Buffer)[]; closings: Closing[]; connections(): number }> {
  const messages: (string | Buffer)[] = [];
  const closings: Closing[] = [];
  const onOpen = (socket: WebSocketConnection): void => {
    void socket.closed.then((closing) => closings.push(closing));
    socket.onMessage((data) => {
      messages.push(data);
      socket.send(data);
    });
  };
  const { port, server } = await serve((request) => websocket(request, onOpen, options));
  return { port, messages, closings, connections: () => server.status().connections };
}

const framesOf = (client: Talk): SeenFrame[] => parseFrames(client.received.slice(client.received.indexOf('\r\n\r\n') + 4));

/** A client that has sent some bytes, and what the server said to them, once it has said so much. */
async function say(port: number, bytes: readonly Uint8Array[], count: number): Promise<SeenFrame[]> {
  const client = await talk(port);
  client.send(HANDSHAKE);
  await client.until(/\r\n\r\n/);
  for (const piece of bytes) client.send(piece);
  return until(
    () => (framesOf(client).length >= count ? framesOf(client) : undefined),
    () => `${count} frames in ${JSON.stringify(client.received)}`,
  );
}

/** The code of the close that the server sends after some bytes; it must then end the connection once the client has answered. */
async function codeAfter(port: number, bytes: readonly Uint8Array[]): Promise<number> {
  const client = await talk(port);
  client.send(HANDSHAKE);
  await client.until(/\r\n\r\n/);
  for (const piece of bytes) client.send(piece);
  const found = await until(
    () => framesOf(client).find(({ opcode }) => opcode === CLOSE),
    () => `a close in ${JSON.stringify(client.received)}`,
  );
  client.end();
  await client.closed();
  expect(found.payload.length).toBeGreaterThanOrEqual(2);
  return found.payload.readUInt16BE(0);
}

it('accepts no extension: what is compressed could hide its size', async () => {
  const { port } = await echo();
  const client = await talk(port);
  client.send(HANDSHAKE);
  expect(await client.until(/\r\n\r\n/)).toMatch(
    /^HTTP\/1\.1 101 (?![\s\S]*sec-websocket-extensions)[\s\S]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i,
  );
});

it('reads messages that came in one piece with the handshake', async () => {
  const { port, messages } = await echo();
  const client = await talk(port);
  client.send(Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, 'one'), frame(TEXT, 'two')]));
  await until(
    () => (messages.length === 2 ? true : undefined),
    () => 'two messages',
  );
  expect(messages).toEqual(['one', 'two']);
});

it('reads a handshake and messages that come byte by byte', async () => {
  const { port, messages } = await echo();
  const client = await talk(port);
  for (const byte of Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, 'né'), frame(BINARY, 'xy'), closeFrame(1000)])) {
    client.send(Uint8Array.of(byte));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await client.closed();
  expect(messages).toEqual(['né', Buffer.from('xy')]);
});

it('keeps messages whole and in order, however they are fragmented and cut up (RFC 6455 §5.4)', async () => {
  const { port, messages } = await echo();
  const message = fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 200 }), cuts: fc.array(fc.nat(200), { maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(2000), { maxLength: 6 }), async (sent, splits) => {
      messages.length = 0;
      const wire = Buffer.concat([...sent.flatMap(({ text, cuts }) => fragments(text, cuts)), closeFrame(1000)]);
      const client = await talk(port);
      client.send(HANDSHAKE);
      await client.until(/\r\n\r\n/);
      const places = [0, ...splits.map((place) => place % wire.length).toSorted((a, b) => a - b), wire.length];
      for (const [i, place] of places.slice(1).entries()) {
        client.send(wire.subarray(places[i], place));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await client.closed();
      expect(messages).toEqual(sent.map(({ text }) => text));
    }),
    { numRuns: 40 },
  );
});

/** A text in fragments, cut anywhere, even inside a character; a ping stands between them. */
function fragments(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).flatMap((place, i) => {
    const isLast = i === places.length - 2;
    const one = frame(i === 0 ? TEXT : CONTINUATION, bytes.subarray(places[i], place), { fin: isLast });
    return isLast ? [one] : [one, frame(PING, 'between')];
  });
}

it.each([
  ['an unmasked frame (RFC 6455 §5.1)', [frame(TEXT, 'x', { masked: false })]],
  ['a reserved bit (RFC 6455 §5.2)', [frame(TEXT, 'x', { reserved: 4 })]],
  ['a reserved opcode (RFC 6455 §5.2)', [frame(0x3, 'x')]],
  ['a reserved control opcode (RFC 6455 §5.2)', [frame(0xb, 'x')]],
  ['a continuation of nothing (RFC 6455 §5.4)', [frame(CONTINUATION, 'x')]],
  ['a continuation behind a whole message (RFC 6455 §5.4)', [frame(TEXT, 'x'), frame(CONTINUATION, 'x')]],
  ['a message inside another (RFC 6455 §5.4)', [frame(TEXT, 'x', { fin: false }), frame(TEXT, 'y')]],
  ['a message inside one that began empty (RFC 6455 §5.4)', [frame(TEXT, '', { fin: false }), frame(TEXT, 'y')]],
  ['a fragmented ping (RFC 6455 §5.5)', [frame(PING, 'x', { fin: false })]],
  ['a fragmented close (RFC 6455 §5.5)', [frame(CLOSE, '', { fin: false })]],
  ['a ping of 126 bytes (RFC 6455 §5.5)', [frame(PING, 'x'.repeat(126))]],
  ['a close of one byte (RFC 6455 §5.5.1)', [frame(CLOSE, 'x')]],
  ['a close with a code that is never sent (RFC 6455 §7.4.1)', [closeFrame(1005)]],
  ['a close with a code of nobody (RFC 6455 §7.4.2)', [closeFrame(999)]],
])('ends with 1002 after %s', async (_what, bytes) => {
  const { port } = await echo();
  expect(await codeAfter(port, bytes)).toBe(1002);
});

it.each([
  ['text', [frame(TEXT, Buffer.from([0xc3, 0x28]))]],
  ['text that is cut short', [frame(TEXT, Buffer.from([0xe2, 0x82]))]],
  ['fragmented text', [frame(TEXT, Buffer.from([0xc3]), { fin: false }), frame(CONTINUATION, Buffer.from([0x28]))]],
  ['a surrogate', [frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))]],
  ['the reason of a close', [closeFrame(1000, Buffer.from([0xff]))]],
])('ends with 1007 after %s that is not UTF-8 (RFC 6455 §8.1)', async (_what, bytes) => {
  const { port, messages } = await echo();
  expect(await codeAfter(port, bytes)).toBe(1007);
  expect(messages).toEqual([]);
});

it.each<[number, string, Buffer, WebSocketOptions]>([
  [1002, 'Invalid WebSocket frame: MASK must be set', frame(TEXT, 'x', { masked: false }), {}],
  [1007, 'Invalid WebSocket frame: invalid UTF-8 sequence', frame(TEXT, Buffer.from([0xff])), {}],
  [
    1008,
    'Too many message fragments',
    Buffer.concat(Array.from({ length: 3000 }, (_, i) => frame(i ? CONTINUATION : TEXT, '', { fin: false }))),
    {},
  ],
  [1009, 'Max payload size exceeded', frame(TEXT, 'xyz'), { maxMessageSize: 2 }],
])('tells in `closed` that it ended with %d, and why: %s (RFC 6455 §7.1.7)', async (code, reason, bytes, options) => {
  const { port, closings } = await echo(options);
  expect(await codeAfter(port, [bytes])).toBe(code);
  await until(
    () => closings[0],
    () => 'the end of the connection',
  );
  expect(closings).toEqual([{ code, reason }]);
});

it('takes a message of exactly maxMessageSize, and ends with 1009 at one byte more (RFC 6455 §7.4.1)', async () => {
  const { port, messages } = await echo({ maxMessageSize: 1000 });
  await say(port, [frame(BINARY, Buffer.alloc(1000))], 1);
  expect(messages).toHaveLength(1);
  expect(await codeAfter(port, [frame(BINARY, Buffer.alloc(1001))])).toBe(1009);
  expect(messages).toHaveLength(1);
});

it('allows 1 MiB unless told', async () => {
  const { port } = await echo();
  const [answer] = await say(port, [frame(BINARY, Buffer.alloc(1024 * 1024, 'a'))], 1);
  expect(answer?.payload.length).toBe(1024 * 1024);
  expect(await codeAfter(port, [frame(BINARY, Buffer.alloc(1024 * 1024 + 1))])).toBe(1009);
});

it('counts the fragments of a message together', async () => {
  const { port } = await echo({ maxMessageSize: 1000 });
  const parts = [frame(BINARY, Buffer.alloc(500), { fin: false }), frame(CONTINUATION, Buffer.alloc(500), { fin: false })];
  expect(await codeAfter(port, [...parts, frame(CONTINUATION, 'x')])).toBe(1009);
});

it.each([2n ** 32n, 2n ** 53n, 2n ** 63n])('ends with 1009 as soon as a length of %d is announced', async (length) => {
  const { port } = await echo();
  expect(await codeAfter(port, [frame(BINARY, 'x', { length })])).toBe(1009);
});

it('ends with 1008 when a message comes in more fragments than any client sends (CVE-2026-48779)', async () => {
  const { port, messages } = await echo();
  const crumbs = Array.from({ length: 3000 }, () => frame(CONTINUATION, '', { fin: false }));
  expect(await codeAfter(port, [Buffer.concat([frame(TEXT, 'x', { fin: false }), ...crumbs])])).toBe(1008);
  expect(messages).toEqual([]);
});

it('answers a ping of no bytes at once, though nothing follows it (RFC 6455 §5.5.3)', async () => {
  const { port } = await echo();
  const [pong] = await say(port, [frame(PING)], 1);
  expect(pong).toMatchObject({ opcode: PONG, fin: true, payload: Buffer.alloc(0) });
});

it('answers a ping between the fragments of a message, with the same bytes (RFC 6455 §5.5.3)', async () => {
  const { port } = await echo();
  const answers = await say(port, [frame(TEXT, 'he', { fin: false }), frame(PING, 'now'), frame(CONTINUATION, 'llo')], 2);
  expect(answers.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
    [PONG, 'now'],
    [TEXT, 'hello'],
  ]);
});

it('takes a pong that nobody asked for (RFC 6455 §5.5.3)', async () => {
  const { port } = await echo();
  const [answer] = await say(port, [frame(PONG, 'x'), frame(TEXT, 'hello')], 1);
  expect(answer?.payload.toString()).toBe('hello');
});

it('answers a close of no bytes at once, and ends the connection (RFC 6455 §5.5.1)', async () => {
  const { port, closings, connections } = await echo();
  const client = await talk(port);
  client.send(HANDSHAKE);
  await client.until(/\r\n\r\n/);
  client.send(frame(CLOSE));
  await client.closed();
  expect(framesOf(client)).toMatchObject([{ opcode: CLOSE }]);
  client.end();
  await until(
    () => (connections() === 0 ? true : undefined),
    () => 'the end of the connection',
  );
  expect(closings).toEqual([{ code: 1005, reason: '' }]);
});

it('answers a close with its code, and delivers nothing behind it (RFC 6455 §5.5.1)', async () => {
  const { port, messages, closings } = await echo();
  const client = await talk(port);
  client.send(HANDSHAKE);
  await client.until(/\r\n\r\n/);
  client.send(Buffer.concat([closeFrame(4321, 'enough'), frame(TEXT, 'late')]));
  await client.closed();
  expect(framesOf(client)[0]?.payload.readUInt16BE(0)).toBe(4321);
  client.end();
  await until(
    () => closings[0],
    () => 'the end of the connection',
  );
  expect(closings).toEqual([{ code: 4321, reason: 'enough' }]);
  expect(messages).toEqual([]);
});

it.each(['end', 'destroy', 'resetAndDestroy'] as const)(
  'ends with 1006 when the client goes without a word: %s (RFC 6455 §7.1.5)',
  async (way) => {
    const { port, closings, connections } = await echo();
    const client = await talk(port);
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n/);
    client.send(frame(TEXT, 'half', { fin: false }));
    client.socket[way]();
    await until(
      () => closings[0],
      () => 'the end of the connection',
    );
    expect(closings).toEqual([{ code: 1006, reason: '' }]);
    await until(
      () => (connections() === 0 ? true : undefined),
      () => 'the socket to be closed',
    );
  },
);

// A played thread takes several reads at once: `ws` then answers the pings of each with one pong, the last (RFC 6455 §5.5.3 allows it).
it.skipIf(process.env['FILROUGE_PLAYED_THREADS'] === '1')(
  'holds on to little more than what was sent by a client that sends crumbs',
  async () => {
    const { port } = await echo();
    const client = await talk(port);
    client.send(HANDSHAKE);
    await client.until(/\r\n\r\n/);
    const before = process.memoryUsage().arrayBuffers;
    client.send(frame(TEXT, 'x', { fin: false }));
    for (let i = 0; i < 1000; i++) {
      client.send(Buffer.concat([frame(CONTINUATION, 'y', { fin: false }), frame(PING)]));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await until(
      () => (framesOf(client).length === 1000 ? true : undefined),
      () => '1000 pongs',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  },
);
