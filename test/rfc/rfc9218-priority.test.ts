/** RFC 9218: which of several responses goes first. */
import { describe, expect, it } from 'vitest';
import type { Http2Client } from '../support/http2-client.ts';
import { frame, HELLO, headers, number, request, settings } from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, speak } from '../support/http2-verdicts.ts';

const PIECE = 16_384;

/** Asks for large bodies, whose streams have a window, while the connection has none; then gives it. @returns The streams of the DATA that came. */
async function orderOf(priorities: readonly (string | undefined)[], ...more: Uint8Array[]): Promise<number[]> {
  const client = await speak({}, Buffer.concat([HELLO, settings([4, 2 ** 20])]));
  client.send(headers(1, request('GET', '/large'))); // uses up the window of the connection
  await client.until(() => received(client).length * PIECE >= 65_535, 'the first window');
  const before = client.frames.length;
  for (const [i, priority] of priorities.entries()) {
    client.send(headers(3 + 2 * i, request('GET', '/large', ...(priority === undefined ? [] : [['priority', priority] as const]))));
  }
  client.send(frame('RST_STREAM', 0, 1, number(8)), ...more);
  await client.ping();
  client.send(frame('WINDOW_UPDATE', 0, 0, number(2 ** 20)));
  for (const i of priorities.keys()) await client.answer(3 + 2 * i);
  return client.frames.slice(before).flatMap(({ type, id }) => (type === 'DATA' ? [id] : []));
}

function received(client: Http2Client): number[] {
  return client.frames.flatMap(({ type, id }) => (type === 'DATA' ? [id] : []));
}

/** PRIORITY_UPDATE (§7.1). */
function update(id: number, value: string): Buffer {
  return frame('PRIORITY_UPDATE', 0, 0, Buffer.concat([number(id), Buffer.from(value)]));
}

const runs = (ids: readonly number[]): number[] => ids.filter((id, i) => id !== ids[i - 1]);

describe('the field priority (§4, §5)', () => {
  it('puts the more urgent in front, whatever the order in which they came', async () => {
    expect(runs(await orderOf(['u=7', 'u=0', undefined]))).toEqual([5, 7, 3]);
  });

  it('has the others wait for each other, one after the other', async () => {
    expect(runs(await orderOf(['u=3', 'u=3', 'u=3']))).toEqual([3, 5, 7]);
  });

  it('has the incremental share', async () => {
    const ids = await orderOf(['i', 'i']);
    expect(runs(ids).length).toBeGreaterThan(6);
  });

  it('has those share that say nothing, which §10 leaves to the server', async () => {
    const ids = await orderOf([undefined, undefined]);
    expect(runs(ids).length).toBeGreaterThan(6);
  });

  it('is ignored where it means nothing', async () => {
    expect(runs(await orderOf(['u=9', 'u=x', '???', 'u=3;a, x=(1 2)']))).toEqual([3, 5, 7, 9]);
  });
});

describe('PRIORITY_UPDATE (§7.1)', () => {
  it('changes the place of a stream that is open', async () => {
    expect(runs(await orderOf([undefined, undefined], update(5, 'u=0')))).toEqual([5, 3]);
  });

  it('may come before its stream, and counts more than its field', async () => {
    const client = await breaksNothing(update(3, 'u=0'), update(99, 'u=7, i'));
    client.send(headers(9003));
    expect(await client.answer(9003)).toMatchObject({ status: 200 });
  });

  it('may name a stream that is closed', async () => {
    await breaksNothing(headers(1), update(1, 'u=0'));
  });

  it('may hold what nobody understands', async () => {
    await breaksNothing(headers(1), update(1, ''), update(1, '\xff\xfe='), update(1, 'u=1, u=2, zz=?1'));
  });

  it.each<[string, Uint8Array]>([
    ['on a stream', frame('PRIORITY_UPDATE', 0, 1, number(1))],
    ['for stream 0', update(0, 'u=1')],
    ['for a stream that cannot be one of requests', update(2, 'u=1')],
  ])('ends the connection %s', async (_, bytes) => {
    await breaksConnection('PROTOCOL_ERROR', 0, bytes);
  });

  it('ends the connection when it is too short for a stream', async () => {
    await breaksConnection('FRAME_SIZE_ERROR', 0, frame('PRIORITY_UPDATE', 0, 0, '123'));
  });
});
