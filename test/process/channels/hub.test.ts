/** Hubs in trees, over links that take their time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOUND, costOf, HIGH, Hub, PATIENCE, type Parcel } from '../../../src/process/channels/hub.ts';
import { Lane, type LaneEnd } from '../../../src/server/channels/lane.ts';

/** What has yet to happen, in the order in which it may: each of several places where things happen one after the other. */
class World {
  readonly #places: (() => void)[][] = [];

  /** A place. @returns Has something happen there. */
  place(): (what: () => void) => void {
    const queue: (() => void)[] = [];
    this.#places.push(queue);
    return (what) => queue.push(what);
  }

  /** Lets everything happen. @param choose Says where next. */
  run(choose: (among: number) => number): void {
    for (;;) {
      const busy = this.#places.filter((queue) => queue.length > 0);
      if (busy.length === 0) return;
      busy[choose(busy.length)]?.shift()?.();
    }
  }
}

/** A hub below another, by links that keep the order in each direction. */
function below(world: World, parent: Hub): Hub {
  const hub = new Hub(world.place());
  const [up, down] = [world.place(), world.place()];
  const end: LaneEnd = {
    message: (name, payload) => down(() => hub.arrive(name, payload, () => up(() => lane.taken(costOf(payload))))),
    missed: (name, count) => down(() => hub.missed(name, count)),
  };
  const lane = new Lane(parent, end, PATIENCE.worker);
  const link = {
    root: parent.root,
    queued: 0,
    send(name: string, payload: Uint8Array): void {
      link.queued += costOf(payload);
      const taken = (): void => {
        link.queued -= costOf(payload);
        hub.wake();
      };
      up(() => parent.relay(name, payload, () => down(taken)));
    },
    want: (name: string, isOn: boolean) => up(() => parent.want(lane, name, isOn)),
  };
  hub.join(() => link);
  hub.use();
  return hub;
}

/** Reads a channel. */
function reader(hub: Hub, name: string): { readonly got: string[]; missed: number } {
  const read = { got: [] as string[], missed: 0 };
  hub.subscribe(name, {
    take: ({ payload }: Parcel) => void read.got.push(Buffer.from(payload).toString()),
    missed: (count) => {
      read.missed += count;
    },
  });
  return read;
}

describe('hubs in a tree', () => {
  it('bring every message once to every reader, all in one order, each publisher in its own, whatever comes when', () => {
    const shape = fc.record({
      parents: fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
      publishers: fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
      choices: fc.array(fc.nat(), { minLength: 1, maxLength: 200 }),
    });
    fc.assert(
      fc.property(shape, ({ parents, publishers, choices }) => {
        const world = new World();
        let step = 0;
        const choose = (among: number): number => (choices[step++ % choices.length] ?? 0) % among;
        const hubs = [new Hub(world.place())];
        for (const parent of parents) hubs.push(below(world, hubs[parent % hubs.length] as Hub));
        const readers = hubs.map((hub) => reader(hub, 'news'));
        world.run(choose); // they are known above
        const counts = hubs.map(() => 0);
        for (const publisher of publishers) {
          const at = publisher % hubs.length;
          hubs[at]?.publish('news', Buffer.from(`${at} ${counts[at]}`));
          counts[at] = (counts[at] ?? 0) + 1;
          if (publisher % 3 === 0) world.run(choose);
        }
        world.run(choose);
        const [first] = readers;
        for (const { got, missed } of readers) {
          expect(got).toEqual(first?.got);
          expect(missed).toBe(0);
        }
        expect(first?.got.length).toBe(publishers.length);
        hubs.forEach((_, at) => {
          const own = first?.got.filter((text) => text.startsWith(`${at} `)) ?? [];
          expect(own).toEqual(Array.from({ length: counts[at] ?? 0 }, (_unused, i) => `${at} ${i}`));
        });
      }),
    );
  });

  it('send nothing where nobody reads', () => {
    const world = new World();
    const root = new Hub(world.place());
    const [one, other] = [below(world, root), below(world, root)];
    const news = reader(one, 'news');
    const weather = reader(other, 'weather');
    world.run(() => 0);
    other.publish('news', Buffer.from('a'));
    world.run(() => 0);
    expect([news.got, weather.got]).toEqual([['a'], []]);
  });
});

describe('a hub below that takes nothing', () => {
  const message = Buffer.alloc(100_000);

  it('holds the others up first, then loses what finds no room, and is told how much when it takes again', async () => {
    const world = new World();
    const root = new Hub(world.place());
    const sent: Buffer[] = [];
    let told = 0;
    const end: LaneEnd = {
      message: (_name, payload) => sent.push(payload as Buffer),
      missed: (_name, count) => {
        told += count;
      },
    };
    const lane = new Lane(root, end, 100);
    root.want(lane, 'news', true);
    const here = reader(root, 'news');
    const publish = (): Promise<void> => {
      root.publish('news', message);
      world.run(() => 0);
      return new Promise((resolve) => root.whenRoom(resolve));
    };
    while (root.hasRoom) {
      root.publish('news', message);
      world.run(() => 0);
    }
    expect(sent.length).toBeLessThanOrEqual(HIGH / message.length + 1);
    for (let i = 0; i < 200; i++) {
      world.run(() => 0);
      const waiting = publish();
      const isFree = await Promise.race([waiting.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
      if (!isFree) await released(root, world); // patience comes to its end
    }
    world.run(() => 0);
    expect(sent.length * message.length).toBeLessThanOrEqual(BOUND + message.length);
    expect(told).toBe(0);
    lane.taken(sent.length * costOf(message));
    world.run(() => 0);
    expect(told).toBe(here.got.length - sent.length);
    expect(told).toBeGreaterThan(100);
  });

  async function released(root: Hub, world: World): Promise<void> {
    while (!root.hasRoom) {
      await new Promise((resolve) => setImmediate(resolve));
      world.run(() => 0);
    }
  }
});
