/** What `AsyncLocalStorage` holds in a body that is produced long after its handler has returned. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { StreamContent } from '../../src/http/body/response-body.ts';
import { compress, Request, Response } from '../../src/index.ts';
import { serve, talk } from '../support/serve.ts';

const store = new AsyncLocalStorage<string>();
const said = (): string => `${store.getStore()};`;

async function* generated(): AsyncGenerator<string> {
  yield said();
  await Promise.resolve();
  yield said();
}

function* plain(): Generator<string> {
  yield said();
  yield said();
}

function webStream(): ReadableStream {
  let count = 0;
  return new ReadableStream({
    pull(controller) {
      if (count++ === 2) controller.close();
      else controller.enqueue(Buffer.from(said()));
    },
  });
}

function readable(): Readable {
  let count = 0;
  return new Readable({
    read() {
      this.push(count++ === 2 ? null : said());
    },
  });
}

const sources: [string, () => Response][] = [
  ['an asynchronous generator', () => Response.stream('text/plain', generated())],
  ['a generator', () => Response.stream('text/plain', plain())],
  ['a web-standard stream', () => Response.stream('text/plain', webStream())],
  ['a Readable', () => Response.stream('text/plain', readable())],
  ['a Readable made of a generator', () => Response.stream('text/plain', Readable.from(generated()))],
  ['the body of another response', () => new Response('x').withBody(generated())],
  ['server-sent events', () => Response.events(generated())],
];

it.each(sources)('a body has the store of the handler that gave it: %s', async (_what, make) => {
  const { port } = await serve(() => store.run('mine', make));
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [answer] = await client.answers(1);
  expect(answer?.body.match(/\w+;/g)).toEqual(['mine;', 'mine;']);
});

it('a body that is compressed outside of it has the store of the handler that gave it', async () => {
  const request = new Request({ headers: { 'Accept-Encoding': 'identity;q=0, gzip' } });
  const made = store.run('mine', () => Response.stream('text/plain', generated()));
  expect(gunzipSync(await compress(request, made).collect()).toString()).toBe('mine;mine;');
});

it('a body that is released has the store where it cleans up', async () => {
  const seen: (string | undefined)[] = [];
  async function* cleaned(): AsyncGenerator<string> {
    try {
      yield 'first';
      yield 'second';
    } finally {
      seen.push(store.getStore());
    }
  }
  const { content } = store.run('mine', () => Response.stream('text/plain', cleaned()));
  const pieces = ((content as StreamContent).take() as AsyncIterable<string>)[Symbol.asyncIterator]();
  await pieces.next();
  await pieces.return?.();
  expect(seen).toEqual(['mine']);
});
