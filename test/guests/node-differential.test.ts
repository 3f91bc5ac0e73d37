/**
 * Listeners under node:http and mounted in our server: the same bytes, the same answer, the same events.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { answerWithNode } from '../../src/node.ts';
import { parseAnswers, serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';
import { CASES, type Case } from './node-cases.ts';

/** What a client and a listener see of a case. */
interface Seen {
  readonly answers: readonly (readonly [line: string | undefined, body: string, etag: string | undefined])[];
  readonly events: readonly string[];
}

/** Runs a case. @param start Starts a server with a listener, and gives its port. */
async function seen({ sends, listener }: Case, start: (listener: (req: IncomingMessage, res: ServerResponse) => void) => Promise<number>) {
  const events: string[] = [];
  const port = await start((req, res) => {
    for (const name of ['prefinish', 'finish', 'close']) {
      res.on(name, () => events.push(name === 'close' ? `close ${res.headersSent} ${res.writableEnded} ${res.writableFinished}` : name));
    }
    req.on('error', () => {}); // whether it comes depends on who has read how much
    res.on('error', () => {});
    listener(req, res, (event) => void events.push(event));
  });
  const client = await talk(port);
  client.send(sends);
  const isHead = (): boolean => sends.startsWith('HEAD');
  const count = sends.split('HTTP/1.1\r\n').length - 1;
  await until(
    () => client.isClosed || parseAnswers(client.received, false, isHead).length === count || undefined,
    () => 'an answer or the end',
  );
  const isListened = !sends.startsWith('FOO');
  await until(
    () => !isListened || events.filter((event) => event.startsWith('close')).length === count || undefined,
    () => `the end of the response: ${events.join()}`,
  );
  const answers = parseAnswers(client.received, false, isHead).map(
    ({ head, body, headers }) => [head.split('\r\n')[0], body, headers['etag']] as const,
  );
  return { answers, events: events.toSorted() } satisfies Seen;
}

function underNode(kase: Case): Promise<Seen> {
  return seen(kase, async (listener) => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  });
}

function mounted(kase: Case): Promise<Seen> {
  return seen(kase, async (listener) => {
    const options = { onError: () => {}, streamBody: () => kase.isStreamed === true };
    return (await serve((request) => answerWithNode(request, listener), options)).port;
  });
}

it.each(CASES.filter(({ differs }) => differs === undefined))('agrees with node:http: $name', async (kase) => {
  expect(await mounted(kase)).toEqual(await underNode(kase));
});

const page = readFileSync(new URL('../../docs/helpers/node.md', import.meta.url), 'utf8');

it.each(CASES.filter(({ differs }) => differs !== undefined))('differs from node:http, as the page says: $name', async (kase) => {
  expect(await mounted(kase)).not.toEqual(await underNode(kase));
  expect(page).toContain(`| ${kase.differs} |`);
});
