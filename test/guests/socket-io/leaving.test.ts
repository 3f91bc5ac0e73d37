/**
 * A server that stops, or loses a websocket, while a client is in the middle of its upgrade: whatever the client has heard of, it must learn at once that
 * it has to come again. A client that has its pong listens to its polls no more than once, and to its websocket only when that poll has come.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { type Line, lineTo, Poller } from './raw.ts';
import { type ServedIO, serveIO } from './served.ts';

/** A client that polls, beside its websocket, and one that has nothing but a websocket, and hears of the end of the server after it. */
interface Scene extends ServedIO {
  readonly poller: Poller;
  readonly line: Line;
  /** Who has been closed, in that order. */
  readonly closed: string[];
  /** Begins to stop the server, and waits until everybody has heard of it. @returns Its end. */
  stop(): Promise<{ ended: Promise<void> }>;
}

async function scene(): Promise<Scene> {
  const served = await serveIO();
  const { port, server } = served;
  const poller = await Poller.begin(port);
  await poller.connect();
  const line = await lineTo(port, poller.sid);
  const last = await lineTo(port);
  await last.next();
  const closed: string[] = [];
  line.socket.on('close', () => closed.push('the upgrade'));
  last.socket.on('close', () => closed.push('the last'));
  const stop = async (): Promise<{ ended: Promise<void> }> => {
    const ended = server.close();
    await until(
      () => closed.includes('the last') || undefined,
      () => 'the end of the last websocket',
    );
    return { ended };
  };
  return { ...served, poller, line, closed, stop };
}

async function probe({ socket, next }: Line): Promise<void> {
  socket.send('2probe');
  expect(await next()).toBe('3probe');
}

/** What the last poll brings: the engine may answer one with nothing at any time. */
async function lastOf(poller: Poller, poll: Promise<string[]>): Promise<string | undefined> {
  const packets = await poll;
  return packets.join() === '6' ? lastOf(poller, poller.poll()) : packets.at(-1);
}

/** Waits until the server has a poll that it has not answered. */
async function untilPolled({ io }: ServedIO): Promise<void> {
  const { clients } = io.engine as unknown as { clients: Record<string, { transport: { name: string; writable: boolean } }> };
  await until(
    () => Object.values(clients).some(({ transport }) => transport.name === 'polling' && transport.writable) || undefined,
    () => 'a poll that waits',
  );
}

describe('a server that stops', () => {
  it('tells a client that polls and has not probed its websocket', async () => {
    const { poller, stop, ...served } = await scene();
    const poll = poller.poll();
    await untilPolled(served);
    const { ended } = await stop();
    expect(await poll).toEqual(['1']);
    await ended;
  });

  it('tells a client that polls and has its pong: a poll that brought anything else would be its last', async () => {
    const { poller, line, stop, ...served } = await scene();
    const poll = poller.poll();
    await untilPolled(served);
    await probe(line);
    const { ended } = await stop();
    expect(await lastOf(poller, poll)).toBe('1');
    await ended;
  });

  it('lets a client whose last poll has been answered finish its upgrade, and closes the websocket then', async () => {
    const { poller, line, closed, stop } = await scene();
    await probe(line);
    expect(await poller.poll()).toEqual(['6']);
    const { ended } = await stop();
    expect(closed).toEqual(['the last']);
    line.socket.send('5');
    await once(line.socket, 'close');
    await ended;
  });

  it('tells a client that polls once more instead', async () => {
    const { poller, line, stop } = await scene();
    await probe(line);
    expect(await poller.poll()).toEqual(['6']);
    const { ended } = await stop();
    expect(await poller.poll()).toEqual(['1']);
    await ended;
  });

  it('does not wait for a client that is gone', async () => {
    const { io, line, poller, stop } = await scene();
    await probe(line);
    expect(await poller.poll()).toEqual(['6']);
    line.socket.terminate();
    const { ended } = await stop();
    await ended;
    expect(io.engine.clientsCount).toBe(0);
  });
});

describe('a websocket that breaks off between its probe and the upgrade', () => {
  it('ends the session, and the poll that waits says so: the client would hear nothing else until its heartbeat fails', async () => {
    const told = await until(
      async () => {
        const { poller, line, ...served } = await scene();
        const poll = poller.poll();
        await untilPolled(served);
        await probe(line);
        line.socket.terminate();
        const packets = await poll;
        return packets.join() === '6' ? undefined : packets; // the engine was faster with that: once more
      },
      () => 'a websocket that breaks off while a poll waits',
    );
    expect(told.at(-1)).toBe('1');
  });

  it('ends the session when no poll waits, so that the next one is refused', async () => {
    const { io, line, poller } = await scene();
    await probe(line);
    expect(await poller.poll()).toEqual(['6']);
    line.socket.terminate();
    await until(
      () => io.engine.clientsCount === 1 || undefined,
      () => 'the end of the session',
    );
  });
});
