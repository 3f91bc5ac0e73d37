import { describe, expect, it } from 'vitest';
import { Response, type ServerSentEvent } from '../../src/index.ts';

async function sent(event: unknown): Promise<string> {
  async function* events(): AsyncGenerator<ServerSentEvent> {
    yield event as ServerSentEvent;
  }
  return (await Response.events(events()).collect()).toString();
}

describe('a server-sent event', () => {
  it.each<[ServerSentEvent, string]>([
    [{ retry: 5 }, 'retry: 5\n\n'],
    [{ retry: 0 }, 'retry: 0\n\n'],
    [{ id: '7' }, 'id: 7\n\n'],
    [{ id: '' }, 'id: \n\n'],
    [{ comment: 'ping' }, ': ping\n\n'],
    [{ comment: '' }, ': \n\n'],
    [{ data: '' }, 'data: \n\n'],
    [{ comment: 'c', event: 'e', id: '7', data: 'a\r\nb' }, ': c\nevent: e\nid: 7\ndata: a\ndata: b\n\n'],
    [{ data: 'x', event: undefined, id: undefined, retry: undefined, comment: undefined }, 'data: x\n\n'],
  ])('may be %j (WHATWG HTML §9.2.5)', async (event, text) => {
    expect(await sent(event)).toBe(text);
  });

  it.each<[unknown, string, string]>([
    [{ retry: Number.NaN }, 'RangeError', 'retry is NaN, not a whole number of milliseconds from 0 on'],
    [{ retry: 1.5 }, 'RangeError', 'retry is 1.5, not a whole number of milliseconds from 0 on'],
    [{ retry: -1 }, 'RangeError', 'retry is -1, not a whole number of milliseconds from 0 on'],
    [{ retry: '5\ndata: x' }, 'TypeError', 'retry is string, not a number'],
    [{ id: 'a\nb' }, 'TypeError', 'its id has more than one line'],
    [{ id: 7 }, 'TypeError', 'id is number, not a string'],
    [{ comment: 'a\rdata: x' }, 'TypeError', 'its comment has more than one line'],
    [{ data: { a: 1 } }, 'TypeError', 'data is object, not a string'],
    [{ event: 'e' }, 'TypeError', 'its data is missing: browsers drop a named event without data'],
    [{}, 'TypeError', 'it has no data, id, retry or comment'],
    [7, 'TypeError', 'it is 7, neither text nor an object'],
    [undefined, 'TypeError', 'it is undefined, neither text nor an object'],
  ])('is refused when it is %j', async (event, name, why) => {
    await expect(sent(event)).rejects.toThrow(expect.objectContaining({ name, code: 'bad-option', message: `Cannot send event: ${why}` }));
  });
});
