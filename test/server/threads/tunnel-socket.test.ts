import { describe, expect, test } from 'vitest';
import { TunnelSocket } from '../../../src/server/threads/inside/tunnel-socket.ts';
import type { FromThread } from '../../../src/server/threads/wire.ts';

const ID = 7;

/** A tunnel, and what it has posted: the bytes that it writes as text. */
function tunnel(): { socket: TunnelSocket; posted: unknown[] } {
  const posted: unknown[] = [];
  const post = (item: FromThread): void => {
    posted.push(item[0] === 'data' ? ['data', Buffer.from(item[2]).toString()] : item.filter((_, at) => at !== 1));
  };
  return { socket: new TunnelSocket(ID, post), posted };
}

/** A tunnel whose handler answers with a last word, and leaves. */
async function left(leave: (socket: TunnelSocket) => void): Promise<ReturnType<typeof tunnel>> {
  const { socket, posted } = tunnel();
  socket.on('data', () => {
    socket.write('goodbye');
    leave(socket);
  });
  socket.deliver(Buffer.from('?'));
  await endOfTurn();
  return { socket, posted };
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the end of an upgraded connection in a thread', () => {
  test('what answers one read leaves as one message', async () => {
    const { socket, posted } = tunnel();
    socket.on('data', () => {
      for (const answer of ['one ', 'two ', 'three']) socket.write(answer);
    });
    socket.deliver(Buffer.from('?'));
    await endOfTurn();
    expect(posted).toEqual([
      ['taken', 1],
      ['data', 'one two three'],
    ]);
  });

  test('writes that come while one is on its way leave together, and each is called back when the socket has taken it', async () => {
    const { socket, posted } = tunnel();
    const taken: string[] = [];
    for (const text of ['one', 'two', 'three']) socket.write(text, () => taken.push(text));
    expect(posted).toEqual([['data', 'one']]);
    socket.taken();
    await endOfTurn();
    expect(posted).toEqual([
      ['data', 'one'],
      ['data', 'twothree'],
    ]);
    expect(taken).toEqual(['one']);
    socket.taken();
    await endOfTurn();
    expect(taken).toEqual(['one', 'two', 'three']);
  });

  test('a piece of writes that leave together has at most 64 KiB, and a longer write goes by itself', async () => {
    const { socket, posted } = tunnel();
    const [short, long] = ['s'.repeat(40 * 1024), 'l'.repeat(100 * 1024)];
    let count = 0;
    socket.cork();
    for (const text of [short, short, long, 'end']) socket.write(text, () => count++);
    socket.uncork();
    expect(posted).toEqual([short, short, long, 'end'].map((text) => ['data', text]));
    for (let n = 0; n < 3; n++) socket.taken();
    await endOfTurn();
    expect(count).toBe(0);
    socket.taken();
    await endOfTurn();
    expect(count).toBe(4);
  });

  test('what was written before the end, or before it is destroyed, leaves first', async () => {
    const ended = await left((socket) => socket.end());
    ended.socket.taken();
    await endOfTurn();
    expect(ended.posted).toEqual([['taken', 1], ['data', 'goodbye'], ['end']]);

    const destroyed = await left((socket) => socket.destroy());
    expect(destroyed.posted.filter((item) => (item as string[])[0] !== 'taken')).toEqual([['data', 'goodbye'], ['failed']]);
  });
});
