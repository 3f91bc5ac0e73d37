import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { queuedIn } from '../../../src/server/socket/direct-write.ts';
import { Uptake } from '../../../src/server/socket/uptake.ts';
import { until } from '../../support/until.ts';

describe('whether a client takes what is written to it', () => {
  it('it does while the system accepts more of one long write, and not when only more waits', () => {
    const handle = { writeQueueSize: 1000 };
    const socket = { bytesWritten: 1000, writableLength: 1000, _handle: handle };
    const uptake = new Uptake(socket as unknown as Socket, 100);
    expect(uptake.isStuck(0, 0)).toBe(false);
    handle.writeQueueSize = 600;
    expect([uptake.isStuck(99, 0), uptake.isStuck(199, 0)]).toEqual([false, false]);
    handle.writeQueueSize = 1600; // another write, past the stream
    expect(uptake.isStuck(200, 0)).toBe(true);
    handle.writeQueueSize = 1599;
    expect(uptake.isStuck(201, 0)).toBe(false);
  });

  it('is told by the handle of a socket', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    client.pause();
    socket.write(Buffer.alloc(32 * 1024 * 1024));
    expect(queuedIn(socket)).toBeGreaterThan(0);
    client.resume();
    await until(
      () => queuedIn(socket) === 0 || undefined,
      () => `${queuedIn(socket)} bytes wait still`,
    );
    client.destroy();
    socket.destroy();
    server.close();
  });
});
