/** Channels in one process without a server. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toFetch } from '../../../src/fetch.ts';
import { Response } from '../../../src/index.ts';
import { hubOf } from '../../../src/process/channels/hub.ts';
import { type Channel, createChannel, type MessagesOptions } from '../../../src/pubsub.ts';
import { until } from '../../support/until.ts';

let count = 0;

/** A channel that no other test has. */
function newChannel<T>(): Channel<T> {
  return createChannel<T>(`test:${count++}`);
}

/** Waits until all that has been published is with its readers: one that was asked last has it. */
async function settled(): Promise<void> {
  const last = newChannel<string>();
  const messages = last.messages();
  last.publish('last');
  await messages.next();
}

async function firstOf<T>(messages: AsyncIterable<T>, wanted: number): Promise<T[]> {
  const got: T[] = [];
  for await (const message of messages) {
    got.push(message);
    if (got.length === wanted) break;
  }
  return got;
}

describe('createChannel', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a space', 'a b'],
    ['a line feed', 'a\n'],
    ['another letter', 'é'],
    ['201 letters', 'x'.repeat(201)],
  ])('refuses a name with %s', (_, name) => {
    expect(() => createChannel(name)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('gives the same channel for the same name', () => {
    const channel = createChannel('same');
    expect(createChannel('same')).toBe(channel);
  });

  it('refuses what is not a Redis client, and a name that has another', () => {
    const client = { publish: async () => 0, eval: async () => 0, duplicate: () => ({}) };
    expect(() => createChannel('over-redis', { redis: {} as never })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    const channel = createChannel('over-redis', { redis: client });
    expect(createChannel('over-redis', { redis: client })).toBe(channel);
    expect(() => createChannel('over-redis')).toThrow(/is there already/);
    expect(() => createChannel('over-redis', { redis: client, prefix: 'other:' })).toThrow(/is there already/);
  });
});

describe('publish', () => {
  it('reaches all who read, in order, and nobody before publish has returned', async () => {
    const channel = newChannel<number>();
    const got: number[][] = [[], []];
    for (const list of got) channel.subscribe((n) => void list.push(n));
    const messages = channel.messages();
    channel.publish(1);
    channel.publish(2);
    expect(got).toEqual([[], []]);
    expect(await firstOf(messages, 2)).toEqual([1, 2]);
    expect(got).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('keeps one order for all, also when a reader publishes', async () => {
    const channel = newChannel<string>();
    const got: string[][] = [[], []];
    channel.subscribe((text) => {
      got[0]?.push(text);
      if (text === 'ping') channel.publish('pong');
    });
    channel.subscribe((text) => void got[1]?.push(text));
    channel.publish('ping');
    channel.publish('second');
    await until(
      () => (got[1]?.length === 3 ? true : undefined),
      () => 'three messages',
    );
    expect(got[0]).toEqual(['ping', 'second', 'pong']);
    expect(got[1]).toEqual(got[0]);
  });

  it('reaches nobody in another channel', async () => {
    const [one, other] = [newChannel<number>(), newChannel<number>()];
    const listener = vi.fn();
    other.subscribe(listener);
    one.publish(1);
    await settled();
    expect(listener).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['text', 'é💡\0'],
    ['a date within an object', { at: new Date(0), list: [1n, /a/g] }],
    ['a map and a set', new Map([[1, new Set(['a'])]])],
    ['bytes', new Uint8Array([0, 255, 10])],
    ['a Buffer', Buffer.from('abc')],
    ['an error', new RangeError('no')],
  ])('brings %s as it was', async (_, value) => {
    const channel = newChannel<unknown>();
    const messages = channel.messages();
    channel.publish(value);
    expect((await messages.next()).value).toEqual(value);
  });

  it('gives each reader a copy of its own, bytes as well', async () => {
    const channel = newChannel<{ list: number[]; bytes: Uint8Array }>();
    const [one, other] = [channel.messages(), channel.messages()];
    channel.publish({ list: [1], bytes: new Uint8Array([1]) });
    const { value } = (await one.next()) as { value: { list: number[]; bytes: Uint8Array } };
    value.list.push(2);
    value.bytes[0] = 9;
    expect((await other.next()).value).toEqual({ list: [1], bytes: new Uint8Array([1]) });
  });

  it('refuses a function, and more than 1 MiB', () => {
    const channel = newChannel<unknown>();
    expect(() => channel.publish(() => {})).toThrow(expect.objectContaining({ name: 'TypeError', code: 'not-serializable' }));
    expect(() => channel.publish(new Uint8Array(1024 * 1024))).toThrow(expect.objectContaining({ name: 'RangeError', code: 'bad-option' }));
  });

  it('loses what is published beyond 8 MiB without waiting for room, and counts it', async () => {
    const channel = newChannel<Uint8Array>();
    let got = 0;
    channel.subscribe(() => void got++, { maxQueued: Number.POSITIVE_INFINITY });
    const message = new Uint8Array(100_000);
    for (let i = 0; i < 200; i++) channel.publish(message);
    await channel.drained();
    await settled();
    expect(got + channel.dropped).toBe(200);
    expect(got).toBe(Math.ceil((8 * 1024 * 1024) / 100_080)); // 64 more for each, and what the serialization adds
    channel.publish(message);
    await settled();
    expect(got + channel.dropped).toBe(201);
  });

  it('finds room at once where little waits, and later where much does', async () => {
    const channel = newChannel<Uint8Array>();
    const order: string[] = [];
    const next = new Promise<void>((resolve) => setImmediate(resolve)).then(() => order.push('turn'));
    channel.publish(new Uint8Array(100));
    await channel.drained();
    order.push('little');
    for (let i = 0; i < 12; i++) channel.publish(new Uint8Array(100_000));
    await channel.drained();
    order.push('much');
    await next;
    expect(order).toEqual(['little', 'turn', 'much']);
  });
});

describe('subscribe', () => {
  it('ends with unsubscribe, with using and with the signal', async () => {
    const channel = newChannel<number>();
    const got: string[] = [];
    const one = channel.subscribe((n) => void got.push(`one ${n}`));
    const leaving = new AbortController();
    channel.subscribe((n) => void got.push(`other ${n}`), { signal: leaving.signal });
    channel.subscribe(() => got.push('never') as never, { signal: AbortSignal.abort() });
    {
      using _third = channel.subscribe(() => got.push('never') as never);
    }
    channel.publish(1);
    await settled();
    one.unsubscribe();
    one.unsubscribe();
    channel.publish(2);
    await settled();
    leaving.abort();
    channel.publish(3);
    await settled();
    expect(got).toEqual(['one 1', 'other 1', 'other 2']);
  });

  it('waits for the promise of one message before it gives the next', async () => {
    const channel = newChannel<number>();
    const got: string[] = [];
    let goOn = (): void => {};
    channel.subscribe(async (n) => {
      got.push(`begin ${n}`);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      got.push(`end ${n}`);
    });
    channel.publish(1);
    channel.publish(2);
    await settled();
    expect(got).toEqual(['begin 1']);
    goOn();
    await settled();
    expect(got).toEqual(['begin 1', 'end 1', 'begin 2']);
  });

  it('reports what the function throws or rejects with, and goes on', async () => {
    const channel = newChannel<number>();
    const onError = vi.fn();
    const got: number[] = [];
    channel.subscribe(
      (n) => {
        got.push(n);
        if (n === 1) throw new Error('thrown');
        return n === 2 ? Promise.reject(new Error('rejected')) : undefined;
      },
      { onError },
    );
    for (const n of [1, 2, 3]) channel.publish(n);
    await settled();
    await settled();
    expect(got).toEqual([1, 2, 3]);
    expect(onError.mock.calls.map(([error]) => (error as Error).message)).toEqual(['thrown', 'rejected']);
  });

  it('prints such an error when nobody takes it', async () => {
    const channel = newChannel<number>();
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    channel.subscribe(() => {
      throw new Error('thrown');
    });
    channel.publish(1);
    await settled();
    expect(printed).toHaveBeenCalledWith(expect.stringContaining(channel.name), expect.objectContaining({ message: 'thrown' }));
    printed.mockRestore();
  });

  it.each<[string, object]>([
    ['a signal that is none', { signal: 1 }],
    ['no room at all', { maxQueued: 0 }],
    ['an overflow of another name', { overflow: 'block' }],
    ['an unknown option', { size: 1 }],
    ['onError that is no function', { onError: 1 }],
  ])('refuses %s', (_, options) => {
    const channel = newChannel<number>();
    expect(() => channel.subscribe(() => {}, options)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => channel.messages({ onError: () => {} } as MessagesOptions)).toThrow(/unknown option "onError"/);
  });
});

describe('messages', () => {
  it('are those from the call on, not from the first read', async () => {
    const channel = newChannel<number>();
    channel.publish(0);
    await settled();
    const messages = channel.messages();
    channel.publish(1);
    await settled();
    expect((await messages.next()).value).toBe(1);
  });

  it('end with the signal, for those who wait and those who come later', async () => {
    const leaving = new AbortController();
    const messages = newChannel<number>().messages({ signal: leaving.signal });
    const waiting = [messages.next(), messages.next()];
    leaving.abort();
    const steps = await Promise.all([...waiting, messages.next()]);
    expect(steps.map(({ done }) => done)).toEqual([true, true, true]);
  });

  it('end when the loop is left: what is published then waits nowhere', async () => {
    const channel = newChannel<number>();
    const messages = channel.messages();
    channel.publish(1);
    channel.publish(2);
    expect(await firstOf(messages, 1)).toEqual([1]);
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  it('are the events of a response in one line', async () => {
    const channel = newChannel<string>();
    const answer = await toFetch((request) => Response.events(channel.messages({ signal: request.signal })))(
      new globalThis.Request('http://a/'),
    );
    channel.publish('one');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value as Uint8Array).toString()).toBe('data: one\n\n');
    await reader.cancel();
  });

  const tenTimes100 = async (options: MessagesOptions) => {
    const channel = newChannel<string>();
    const messages = channel.messages({ maxQueued: 500, ...options });
    for (let i = 0; i < 10; i++) channel.publish(String(i).padEnd(90)); // 64 more, and what the serialization adds: three have room
    await settled();
    return { channel, messages };
  };

  it('lose the oldest when more waits than may', async () => {
    const { messages } = await tenTimes100({});
    expect((await firstOf(messages, 3)).map(Number)).toEqual([7, 8, 9]);
    expect(messages.dropped).toBe(7);
  });

  it("lose the newest under overflow: 'drop-newest'", async () => {
    const { messages } = await tenTimes100({ overflow: 'drop-newest' });
    expect((await firstOf(messages, 3)).map(Number)).toEqual([0, 1, 2]);
    expect(messages.dropped).toBe(7);
  });

  it("end with an error under overflow: 'close'", async () => {
    const { messages } = await tenTimes100({ overflow: 'close' });
    await expect(messages.next()).rejects.toMatchObject({ code: 'channel-overflow' });
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  it("lose nothing under overflow: 'wait', and the publisher is held back", { timeout: 30_000 }, async () => {
    const channel = newChannel<string>();
    const messages = channel.messages({ maxQueued: 10_000, overflow: 'wait' });
    const message = 'x'.repeat(1000);
    let published = 0;
    let isDone = false;
    const publishing = (async () => {
      for (; published < 5000; published++) {
        channel.publish(`${published} ${message}`);
        await channel.drained();
      }
      isDone = true;
    })();
    await until(
      () => (published > 900 ? true : undefined),
      () => 'a publisher that is held back',
    );
    expect(isDone).toBe(false);
    expect((await firstOf(messages, 5000)).map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    await publishing;
    expect([messages.dropped, channel.dropped]).toEqual([0, 0]);
  });

  it("hold back nobody for ever under overflow: 'wait': a reader that stands still begins to lose", async () => {
    const channel = newChannel<string>();
    const messages = channel.messages({ maxQueued: 10_000, overflow: 'wait' });
    const other = channel.messages();
    const message = 'x'.repeat(1000);
    for (let i = 0; i < 50; i++) channel.publish(`${i} ${message}`);
    expect((await firstOf(other, 50)).length).toBe(50);
    expect(messages.dropped).toBeGreaterThan(30);
    expect((await messages.next()).done).toBe(false);
  });

  it('lose nothing of 100,000 for a reader that reads, and a publisher that waits when there is no room', { timeout: 60_000 }, async () => {
    const channel = newChannel<number>();
    const messages = channel.messages();
    const reading = firstOf(messages, 100_000);
    for (let i = 0; i < 100_000; i++) {
      channel.publish(i);
      await channel.drained();
    }
    const got = await reading;
    expect(got.every((n, i) => n === i)).toBe(true);
    expect([got.length, messages.dropped, channel.dropped]).toEqual([100_000, 0, 0]);
  });
});

describe('a message that cannot be read, as another version of Node may publish one', () => {
  const GARBAGE = new Uint8Array([0xff, 0x7f, 0x41]);

  it('counts as missed by those who iterate, and they go on', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const channel = newChannel<string>();
    const readers = [channel.messages(), channel.messages()];
    const nexts = readers.map((reader) => reader.next());
    hubOf(setImmediate).arriveHere(channel.name, GARBAGE);
    channel.publish('after');
    expect(await Promise.all(nexts)).toEqual([
      { done: false, value: 'after' },
      { done: false, value: 'after' },
    ]);
    expect(readers.map((reader) => reader.dropped)).toEqual([1, 1]);
    expect(printed).toHaveBeenCalledTimes(1);
  });

  it('ends the reading of those who want all', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const channel = newChannel<string>();
    const next = channel.messages({ overflow: 'close' }).next();
    hubOf(setImmediate).arriveHere(channel.name, GARBAGE);
    await expect(next).rejects.toMatchObject({ code: 'channel-overflow' });
  });
});

it('goes on calling a listener whose onError throws', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const channel = newChannel<number>();
  const seen: number[] = [];
  channel.subscribe(
    (message) => {
      seen.push(message);
      if (message === 1) throw new Error('first');
      return message === 2 ? Promise.reject(new Error('second')) : undefined;
    },
    {
      onError: () => {
        throw new Error('onError');
      },
    },
  );
  for (const message of [1, 2, 3]) channel.publish(message);
  await until(
    () => seen.length === 3 || undefined,
    () => `all messages: ${seen.join()}`,
  );
  expect(printed).toHaveBeenCalledTimes(2);
});

it('lets publishers go on when Redis stops answering for a second time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const answers: (() => void)[] = [];
  const client = {
    isReady: true,
    publish: () => new Promise<number>((resolve) => answers.push(() => resolve(1))),
    eval: async () => 0,
    duplicate: () => ({}),
  };
  const channel = createChannel<string>('stuck-again', { redis: client });
  for (const size of [1, 700_000, 700_000, 700_000]) channel.publish('x'.repeat(size));
  const first = channel.drained();
  vi.advanceTimersByTime(1000);
  await first;
  answers[0]?.();
  await new Promise(setImmediate);
  let isThere = false;
  const second = channel.drained().then(() => {
    isThere = true;
  });
  await new Promise(setImmediate);
  expect(isThere).toBe(false); // it answers again
  vi.advanceTimersByTime(1000);
  await second;
});
