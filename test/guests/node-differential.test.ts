/**
 * Listeners under node:http and mounted in our server: the same bytes, the same answers, the same events in the same order.
 *
 * What differs says here how, and has its row in docs/helpers/node.md.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWithNode } from '../../src/node.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';
import type { Case, Outcome } from './node-case.ts';
import { CASES } from './node-cases.ts';
import { DIFFERENCES } from './node-differences.ts';
import { sentOf, withLengths } from './node-wire.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/** Starts a server with a listener, and gives its port. */
type Start = (listener: Listener, one: Case, isStreamed: boolean) => Promise<number>;

const AGAIN = 'GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

const underNode: Start = async (listener, { setUp, host = '127.0.0.1' }) => {
  const server: Server = createServer(listener);
  setUp?.(server);
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

const mounted: Start = async (listener, { host = '127.0.0.1' }, isStreamed) => {
  const options = { host, onError: () => {}, streamBody: () => isStreamed };
  return (await serve((request) => answerWithNode(request, listener), options)).port;
};

/** Runs a case on one of both. */
async function outcomeOf(start: Start, one: Case, isStreamed: boolean): Promise<Outcome> {
  const events: string[] = [];
  const count = (event: string): number => events.filter((past) => past.includes(` ${event}`)).length;
  const isLeft = start === mounted && one.isLeft === true;
  let called = 0;
  const listener: Listener = (req, res) => {
    if (req.url === '/again') return void res.end('again');
    const number = ++called;
    const note = (event: string): void => void events.push(`${number} ${event}`);
    watch(req, res, note);
    one.listener(req, res, note);
  };
  const client = await talk(await start(listener, one, isStreamed));
  client.send(one.sends);
  const noted = (event: string): Promise<true> =>
    until(
      () => count(event) > 0 || undefined,
      () => `${event} among ${events.join(', ')}; ${client.received}`,
    );
  await one.play?.(client, noted);
  const hasLeft = client.socket.destroyed;
  const isHead = one.sends.startsWith('HEAD');
  const wanted = one.answers ?? one.sends.split('HTTP/1.1\r\n').length - 1;
  const finals = (): number => sentOf(client.received, isHead).filter(({ line, isWhole }) => isWhole && !/ 1\d\d /.test(line)).length;
  await until(
    () => client.isClosed || client.socket.destroyed || finals() >= wanted || undefined,
    () => `${wanted} answers or the end: ${client.received}`,
  );
  if (client.isClosed) client.end(); // as most clients do: only then does node:http close a socket that its listener has ended
  if (one.rest !== undefined) client.send(one.rest);
  await until(
    () => (count('res close') === called && (isLeft || count('req close') === called)) || undefined,
    () => `the ends of ${called} exchanges: ${events.join(', ')}`,
  );
  const sent = hasLeft ? [] : sentOf(client.received, isHead); // how much has come when a client leaves is chance
  const placeOf = (event: string): number => 2 * Number.parseInt(event, 10) + Number(one.isLoose === true && event.includes(' req '));
  events.sort((first, second) => placeOf(first) - placeOf(second)); // between exchanges the order is free
  if (client.isClosed || client.socket.destroyed) return { sent, events, isKept: false };
  client.send(AGAIN);
  return { sent, events, isKept: (await client.closed()).endsWith('again') };
}

function watch(req: IncomingMessage, res: ServerResponse, note: (event: string) => void): void {
  for (const name of ['end', 'aborted']) req.on(name, () => note(`req ${name}`));
  req.on('close', () => note(`req close ${req.complete ? 'complete' : 'cut'}`));
  req.on('error', (error: NodeJS.ErrnoException) => note(`req error ${error.code}`));
  for (const name of ['prefinish', 'finish']) res.on(name, () => note(`res ${name}`));
  res.on('error', (error: NodeJS.ErrnoException) => note(`res error ${error.code}`));
  res.on('close', () => note(`res close ${res.headersSent} ${res.writableEnded} ${res.writableFinished}`));
}

const PAGE = readFileSync(new URL('../../docs/helpers/node.md', import.meta.url), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| (?!what \|)([^|-][^|]*?) \| [^|]+ \| [^|]+ \|$/gm)].map(([, what]) => what).filter(isOfDifferences);

function isOfDifferences(what: string | undefined): boolean {
  const section = PAGE.slice(PAGE.indexOf('What is different from a node:http server of its own:'), PAGE.indexOf('\n## Errors'));
  return section.includes(`| ${what} |`);
}

/** A case with bodies passed on as they come, and one with bodies that have been read, unless it is about one of them. */
function inBothWays<T extends Case>(cases: readonly T[]): [string, T, boolean][] {
  return cases.flatMap((one) => {
    const ways = one.isStreamed === undefined ? [false, true] : [one.isStreamed];
    return ways.map((isStreamed): [string, T, boolean] => [`${one.name}${isStreamed ? ', streamed' : ''}`, one, isStreamed]);
  });
}

describe('a mounted listener', () => {
  it.each(inBothWays(CASES))('does as under node:http: %s', async (_name, one, isStreamed) => {
    const there = await outcomeOf(underNode, one, isStreamed);
    expect(withLengths(await outcomeOf(mounted, one, isStreamed))).toEqual(withLengths(there));
  });

  it.each(inBothWays(DIFFERENCES))('does otherwise than under node:http: %s', async (_name, one, isStreamed) => {
    const there = await outcomeOf(underNode, one, isStreamed);
    const here = await outcomeOf(mounted, one, isStreamed);
    expect(there).toMatchObject(one.there);
    expect(here).toMatchObject(one.here);
    for (const key of ['sent', 'events', 'isKept'] as const) {
      if (!(key in one.here)) expect([key, withLengths(here)[key]]).toEqual([key, withLengths(there)[key]]);
    }
    expect(ROWS).toContain(one.row);
  });

  it('has a case for each row of the documentation', () => {
    expect(ROWS.length).toBeGreaterThan(5);
    const shown = new Set(DIFFERENCES.map(({ row }) => row));
    expect(ROWS.filter((row) => !shown.has(row ?? ''))).toEqual([]);
  });
});
