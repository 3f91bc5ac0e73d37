import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flight } from '../../../src/server/threads/flight.ts';
import { WaitingRequests } from '../../../src/server/threads/waiting.ts';

/** A flight named after its address, its connection and its number there: `a1.3`. */
function flight(name: string): Flight {
  const [connection = ''] = name.split('.');
  return { name, request: { remoteAddress: name[0], peer: { carrier: connection } } } as unknown as Flight;
}

const nameOf = (waiting: Flight | undefined): string | undefined => (waiting as unknown as { name: string } | undefined)?.name;

function queueOf(...names: readonly string[]): WaitingRequests {
  const queue = new WaitingRequests();
  for (const name of names) queue.add(flight(name), 1000);
  return queue;
}

function all(queue: WaitingRequests): string[] {
  const names: string[] = [];
  for (let next = queue.next(); next; next = queue.next()) names.push(nameOf(next) as string);
  return names;
}

describe('requests that wait for a thread', () => {
  it('take turns by address, then by connection', () => {
    const queue = queueOf('a1.1', 'a1.2', 'a1.3', 'a2.1', 'a2.2', 'b1.1', 'b1.2', 'c1.1');
    expect(all(queue)).toEqual(['a1.1', 'b1.1', 'c1.1', 'a2.1', 'b1.2', 'a1.2', 'a2.2', 'a1.3']);
  });

  it('are of one client when the first 64 bits of their IPv6 addresses agree', () => {
    const from = (remoteAddress: string, name: string): Flight =>
      ({ name, request: { remoteAddress, peer: { carrier: name } } }) as unknown as Flight;
    const queue = new WaitingRequests();
    for (let i = 1; i <= 4; i++) queue.add(from(`2001:db8::${i}`, `rotating ${i}`), 4);
    expect(nameOf(queue.add(from('2001:db8:0:1::1', 'neighbour'), 4))).toBe('rotating 1');
    expect(nameOf(queue.add(from('192.0.2.1', 'v4'), 4))).toBe('rotating 2');
    expect(nameOf(queue.add(from('2001:db8::5', 'rotating 5'), 4))).toBe('rotating 5');
    expect(all(queue)).toEqual(['rotating 3', 'neighbour', 'v4', 'rotating 4']);
  });

  it('keep their place among those of their connection when a thread gives them back', () => {
    const queue = queueOf('a1.3', 'b1.1');
    queue.putBack([flight('a1.1'), flight('a1.2')]);
    expect(all(queue)).toEqual(['a1.1', 'b1.1', 'a1.2', 'a1.3']);
  });

  it('keep their turns when a thread gives them back', () => {
    const queue = queueOf('a1.3', 'b1.2', 'c1.1');
    queue.putBack([flight('b1.1'), flight('a1.1'), flight('a1.2')]);
    expect(all(queue)).toEqual(['b1.1', 'a1.1', 'c1.1', 'b1.2', 'a1.2', 'a1.3']);
  });

  it('make room, when it is full, for one whose client has fewer waiting: the last of the client that has most goes', () => {
    const queue = queueOf('a1.1', 'a1.2', 'a1.3', 'a2.1', 'b1.1');
    expect(nameOf(queue.add(flight('c1.1'), 5))).toBe('a1.3');
    expect(nameOf(queue.add(flight('a1.9'), 5))).toBe('a1.9');
    expect(queue.size).toBe(5);
  });

  it('make room among the connections of one address as well', () => {
    const queue = queueOf('a1.1', 'a1.2', 'a1.3', 'a2.1');
    expect(nameOf(queue.add(flight('a3.1'), 4))).toBe('a1.3');
    expect(nameOf(queue.add(flight('a4.1'), 4))).toBe('a1.2');
    expect(nameOf(queue.add(flight('a5.1'), 4))).toBe('a5.1'); // everybody has one
  });

  it('have no room at all in a pool that is closed', () => {
    expect(nameOf(new WaitingRequests().add(flight('a1.1'), 0))).toBe('a1.1');
  });

  it('go when they are done with, and leave the others in their order', () => {
    const queue = queueOf('a1.1', 'a1.2', 'b1.1', 'b1.2');
    queue.sweep((waiting) => nameOf(waiting) === 'a1.1' || nameOf(waiting) === 'b1.1');
    expect(queue.size).toBe(2);
    expect(all(queue)).toEqual(['a1.2', 'b1.2']);
  });

  it('are as many as were put in and not taken out, each connection in its order, whatever comes', () => {
    const step = fc.oneof(fc.constant('next'), fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new WaitingRequests();
        const waiting = new Set<string>();
        const last = new Map<string, number>();
        for (const [i, what] of steps.entries()) {
          if (what !== 'next') {
            const name = `${what}.${i}`;
            const refused = nameOf(queue.add(flight(name), 20));
            waiting.add(name);
            if (refused !== undefined) expect(waiting.delete(refused)).toBe(true);
          } else {
            const name = nameOf(queue.next());
            if (name === undefined) expect(waiting.size).toBe(0);
            else {
              expect(waiting.delete(name)).toBe(true);
              const [connection = '', number] = name.split('.');
              expect(Number(number)).toBeGreaterThan(last.get(connection) ?? -1);
              last.set(connection, Number(number));
            }
          }
          expect(queue.size).toBe(waiting.size);
          expect(queue.size).toBeLessThanOrEqual(20);
        }
      }),
    );
  });
});
