import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../../src/http/header-list.ts';
import { Request, type Response } from '../../../src/index.ts';
import { Flight } from '../../../src/server/threads/flight.ts';
import type { ThreadLink, ToThread } from '../../../src/server/threads/wire.ts';

/** A request whose thread has answered that it takes its connection over, and what the thread is told. */
async function upgraded(): Promise<{ request: Request; response: Response; told: string[] }> {
  const told: string[] = [];
  const link: ThreadLink = {
    post: ([kind]: ToThread) => void told.push(kind),
    forget: () => void told.push('forgotten'),
    endWait: () => false,
  };
  const request = new Request({ target: '/' });
  const response = await new Promise<Response>((resolve) => {
    const flight = new Flight(request, 0, resolve);
    flight.thread = link;
    expect(flight.take(['answer', 0, 101, ['', ''], ['upgrade'], false, false, -1], HeaderList.EMPTY)).toBe(true);
  });
  return { request, response, told };
}

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a request whose thread takes its connection over', () => {
  it('is followed when that has happened', async () => {
    const { request, response, told } = await upgraded();
    request.release();
    response.take?.(new Duplex({ read: () => {} }), Buffer.alloc(0), { stopping: new AbortController().signal, report: () => {} });
    await aTurn();
    expect(told).not.toContain('unopened');
    expect(told).not.toContain('forgotten');
  });

  it('is forgotten on both sides when nothing was taken over', async () => {
    const { request, told } = await upgraded();
    request.release();
    await aTurn();
    expect(told).toEqual(['unopened', 'forgotten']);
  });
});
