import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Drain } from '../../src/server/drain.ts';
import type { Listener } from '../../src/server/listener.ts';
import { resolveOptions } from '../../src/server/options.ts';
import { type ManagedConnection, Service } from '../../src/server/service.ts';

/** A connection that ends only when it is cut, and what it was told to wait for at most. */
class Busy implements ManagedConnection {
  readonly protocol = undefined;
  readonly exchanges: { readonly open: readonly [] } = { open: [] };
  readonly graces: number[] = [];
  isCut = false;
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  tick(): void {}

  drain(): void {
    this.graces.push(this.#service.drainGrace);
  }

  destroy(): void {
    this.isCut = true;
  }
}

let service: Service;
let connection: Busy;
let drain: Drain;
const server = new EventEmitter();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  service = new Service(() => undefined as never, resolveOptions({}));
  connection = new Busy(service);
  service.connections.add(connection);
  drain = new Drain(service, { server, sockets: new Set(), close: () => {} } as unknown as Listener);
});

afterEach(() => {
  service.clock.stop();
  vi.useRealTimers();
});

it('takes as long as the first call allows', async () => {
  const ended = drain.within(10_000);
  vi.advanceTimersByTime(9999);
  expect(connection.isCut).toBe(false);
  vi.advanceTimersByTime(1);
  expect(connection.isCut).toBe(true);
  server.emit('close');
  await ended;
});

it('ends sooner when a later call allows less, also for connections at rest that a successor gave more time', async () => {
  const ended = drain.within(10_000, true);
  vi.advanceTimersByTime(100);
  expect(drain.within(500)).toBe(ended);
  expect(connection.graces).toEqual([2000, 500]);
  vi.advanceTimersByTime(499);
  expect(connection.isCut).toBe(false);
  vi.advanceTimersByTime(1);
  expect(connection.isCut).toBe(true);
});

it('never ends later for a later call, nor begins anew when it is over', async () => {
  const ended = drain.within(1000);
  void drain.within(60_000, true);
  expect(connection.graces).toEqual([500, 500]);
  vi.advanceTimersByTime(1000);
  expect(connection.isCut).toBe(true);
  server.emit('close');
  await ended;
  const timers = vi.getTimerCount();
  await drain.within(10);
  expect(vi.getTimerCount()).toBe(timers);
});
