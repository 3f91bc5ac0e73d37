/**
 * `createFetch` in its I/O thread: undici, with one pool of connections for all threads of the process.
 *
 * @module
 */
import type * as undici from 'undici';
import type { Dispatcher } from 'undici';
import { CALL, HEAD, place } from '../marks.ts';
import type { FetchHead, FetchInit, FetchSettings } from '../wire.ts';

/** A body up to this comes with its head, in one message. */
const AT_ONCE = 64 * 1024;

/** Makes the module. */
export async function loadFetch(url: string): Promise<Record<string, unknown>> {
  const settings = JSON.parse(decodeURIComponent(url.slice(url.indexOf('?') + 1))) as FetchSettings;
  const { Agent } = (await import(settings.undici)) as typeof undici;
  const { connections, timeout, maxSize } = settings;
  const agent = new Agent({
    connections,
    connect: { timeout },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    maxResponseSize: maxSize === 0 ? -1 : maxSize,
  });
  const get = async (address: string, init: FetchInit): Promise<unknown> => {
    const { signal } = place[CALL] ?? { signal: undefined };
    const { origin, pathname, search } = new URL(address);
    const answer = await agent.request({
      origin,
      path: pathname + search,
      method: init.method ?? 'GET',
      headers: init.headers ?? {},
      body: init.body ?? null,
      signal: signal ?? null,
      responseHeaders: 'raw',
    });
    const fields = (answer.headers as unknown as readonly (Buffer | string)[]).map((part) => part.toString('latin1'));
    return answerOf(answer.statusCode, fields, answer.body);
  };
  return { get, close: () => agent.close() };
}

async function answerOf(status: number, fields: readonly string[], body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const items = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  while (size <= AT_ONCE) {
    const item = await items.next();
    if (item.done) return { status, fields, body: new Uint8Array(Buffer.concat(pieces)) } satisfies FetchHead; // in a memory of its own
    pieces.push(item.value);
    size += item.value.length;
  }
  return Object.assign(
    {
      async *[Symbol.asyncIterator]() {
        try {
          yield* pieces;
          for (let item = await items.next(); !item.done; item = await items.next()) yield item.value;
        } finally {
          body.destroy();
        }
      },
      destroy: () => body.destroy(),
    },
    { [HEAD]: { status, fields, body: undefined } satisfies FetchHead },
  );
}
