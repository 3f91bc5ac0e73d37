/**
 * Handlers of the web, `(request: Request) => Response`, on `answerWithFetch` in our server and on @hono/node-server over node:http: the same
 * bytes are sent to both, and what comes back, and what the handler has seen, must be the same.
 *
 * What differs has its reason here, and its row in docs/helpers/fetch.md.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWithFetch } from '../../src/fetch.ts';
import { serve, talk } from '../support/serve.ts';
import { CASES, type Case, type Tell, type WebHandler } from './fetch-cases.ts';

/** What became of one exchange. */
interface Outcome {
  readonly status: number;
  /** In the order of their names; without those of the connection. */
  readonly fields: readonly string[];
  readonly framing: string;
  readonly body: string;
  /** Whether the body ended as its framing announced. */
  readonly isWhole: boolean;
  readonly told: readonly unknown[];
}

const SERVERS = { ours, theirs } as const;

async function ours(handler: WebHandler, streamBody: boolean): Promise<number> {
  const options = { onError: () => {}, streamBody: () => streamBody };
  return (await serve((request) => answerWithFetch(request, handler), options)).port;
}

async function theirs(handler: WebHandler): Promise<number> {
  const listener = getRequestListener(handler, {
    overrideGlobalObjects: false,
    errorHandler: () => new globalThis.Response('Internal Server Error', { status: 500 }),
  });
  const server = createServer((req, res) => void listener(req, res));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function outcomeOf(name: keyof typeof SERVERS, { answer, bytes, streamBody = false, play }: Case): Promise<Outcome> {
  const told: unknown[] = [];
  const waiting = new Set<() => void>();
  const tell: Tell = (...what) => {
    told.push(...what);
    for (const look of waiting) look();
  };
  const hasTold = (what: unknown): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (told.includes(what)) resolve();
      };
      waiting.add(look);
      look();
    });
  const client = await talk(await SERVERS[name]((web) => answer(web, tell), streamBody));
  client.send(bytes);
  if (play) await play(client, hasTold);
  const text = client.socket.destroyed ? client.received : await client.closed();
  return { ...observed(text, bytes.startsWith('HEAD ')), told };
}

/** Takes what came on the wire apart. */
function observed(text: string, isHead: boolean): Omit<Outcome, 'told'> {
  const final = text.replace(/^(?:HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)*/, '');
  const headEnd = final.indexOf('\r\n\r\n');
  if (headEnd === -1) return { status: 0, fields: [], framing: 'none', body: final, isWhole: false };
  const [first = '', ...lines] = final.slice(0, headEnd).split('\r\n');
  const fields = lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
  const fieldOf = (name: string): string | undefined => fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const length = fieldOf('content-length');
  const isChunked = fieldOf('transfer-encoding') === 'chunked';
  const rest = final.slice(headEnd + 4);
  const { body, isWhole } = isChunked && !isHead ? unchunked(rest) : { body: rest, isWhole: isHead || rest.length === Number(length ?? 0) };
  return {
    status: Number(first.split(' ')[1]),
    fields: fields.filter((line) => !/^(?:connection|keep-alive|date|content-length|transfer-encoding): /.test(line)).toSorted(),
    framing: isChunked ? 'chunked' : length === undefined ? 'none' : `${length} bytes`,
    body,
    isWhole,
  };
}

function unchunked(text: string): { body: string; isWhole: boolean } {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, isWhole: false };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return { body, isWhole: true };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}

const PAGE = readFileSync(new URL('../../docs/helpers/fetch.md', import.meta.url), 'utf8');
const SECTION = PAGE.split('\n## ').find((section) => section.startsWith('Beside @hono/node-server\n')) ?? '';
const ROWS = [...SECTION.matchAll(/^\| (?!sent or answered)([^|-][^|]*?) \|/gm)].map(([, what]) => what);

describe('a handler of the web', () => {
  it.each(Object.entries(CASES).filter(([, { differs }]) => !differs))('is answered as on @hono/node-server: %s', async (_, one) => {
    const [here, there] = await Promise.all([outcomeOf('ours', one), outcomeOf('theirs', one)]);
    expect(here).toEqual(there);
  });

  it.each(Object.entries(CASES).filter(([, { differs }]) => differs))(
    'is answered otherwise than on @hono/node-server: %s',
    async (_, one) => {
      const [here, there] = await Promise.all([outcomeOf('ours', one), outcomeOf('theirs', one)]);
      expect(here).toMatchObject(one.differs?.ours ?? {});
      expect(there).toMatchObject(one.differs?.theirs ?? {});
      for (const key of Object.keys(here) as (keyof Outcome)[]) {
        if (!(key in (one.differs?.ours ?? {}))) expect([key, here[key]]).toEqual([key, there[key]]);
      }
      expect(ROWS).toContain(one.differs?.row);
    },
  );

  it('has a case for each row of the documentation', () => {
    expect(ROWS.length).toBeGreaterThan(5);
    const shown = new Set(Object.values(CASES).map(({ differs }) => differs?.row));
    expect(ROWS.filter((row) => !shown.has(row))).toEqual([]);
  });
});
