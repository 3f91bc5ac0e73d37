/**
 * An upstream that speaks bytes: for tests that must see exactly what a proxy sends, and answer exactly what they like.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ProxyOptions, proxy } from '../../../src/helpers/proxy.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { serve, type Talk, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

/** One connection that came to the upstream. */
export class Visit {
  readonly socket: Socket;
  /** All that has come on it, one character a byte. */
  text = '';
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  send(text: string | Uint8Array): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1');
    else this.socket.write(text);
  }

  /** Waits for bytes. */
  async has(pattern: RegExp): Promise<string> {
    return until(
      () => (pattern.test(this.text) ? this.text : undefined),
      () => `${pattern} in ${JSON.stringify(this.text.slice(0, 2000))}`,
    );
  }

  async closed(): Promise<void> {
    await until(
      () => this.isClosed || undefined,
      () => 'the end of a connection to the upstream',
    );
  }
}

/** An upstream, and the connections that came to it. */
export interface Upstream {
  readonly port: number;
  readonly target: string;
  readonly visits: Visit[];
  /** Waits for a connection. */
  visit(index?: number): Promise<Visit>;
}

/**
 * Listens until the test ends.
 *
 * @param answer Sent as soon as a head is complete, once for each; without it the test answers.
 */
export async function upstream(answer?: string | ((visit: Visit, head: string) => void)): Promise<Upstream> {
  const visits: Visit[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const visit = new Visit(socket);
    visits.push(visit);
    if (answer === undefined) return;
    let at = 0; // where the next head starts
    socket.on('data', () => {
      for (let end = visit.text.indexOf('\r\n\r\n', at); end !== -1; end = visit.text.indexOf('\r\n\r\n', at)) {
        const head = visit.text.slice(at, end);
        at = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (typeof answer === 'string') visit.send(answer);
        else answer(visit, head);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const { socket } of visits) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as { port: number };
  const visit = (index = 0): Promise<Visit> =>
    until(
      () => visits[index],
      () => `connection ${index} to the upstream`,
    );
  return { port, target: `http://127.0.0.1:${port}`, visits, visit };
}

/** A proxy in front of an upstream, and a client of it. */
export async function through(target: string, options: ProxyOptions = {}, server: ServerOptions = {}): Promise<Talk> {
  const { port } = await serve((request) => proxy(request, target, options), { onError: () => {}, ...server });
  return talk(port);
}

/** A client that has asked through a proxy, and the connection on which the upstream has all of the request and has said nothing. */
export async function asked(request: string): Promise<{ readonly client: Talk; readonly visit: Visit }> {
  const up = await upstream();
  const client = await through(up.target);
  client.send(request);
  const visit = await up.visit();
  await visit.has(/\r\n\r\n$/);
  return { client, visit };
}

/** The field lines that a head holds, names in lower case. */
export function linesOf(head: string): string[] {
  const lines = head.split('\r\n\r\n')[0]?.split('\r\n').slice(1) ?? [];
  return lines.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()));
}

/** The names of those field lines. */
export function namesOf(head: string): string[] {
  return linesOf(head).map((line) => line.slice(0, line.indexOf(':')));
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
