/**
 * Raw clients of Engine.IO for tests: they send the packets that they are told to, and no others.
 *
 * @module
 */
import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../support/until.ts';

const SEPARATOR = '\x1e';

/** A client that polls. */
export class Poller {
  readonly #url: string;
  readonly sid: string;
  readonly open: Record<string, unknown>;

  constructor(url: string, open: Record<string, unknown>) {
    this.open = open;
    this.sid = String(open['sid']);
    this.#url = `${url}&sid=${this.sid}`;
  }

  static async begin(port: number): Promise<Poller> {
    const url = urlOf(port, 'EIO=4&transport=polling');
    const text = await (await fetch(url)).text();
    expect(text).toMatch(/^0\{/);
    return new Poller(url, JSON.parse(text.slice(1)) as Record<string, unknown>);
  }

  /** The packets of the next poll. */
  async poll(): Promise<string[]> {
    const response = await fetch(this.#url);
    expect(response.status).toBe(200);
    return (await response.text()).split(SEPARATOR);
  }

  async post(...packets: string[]): Promise<{ status: number; text: string }> {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    const response = await fetch(this.#url, { method: 'POST', headers, body: packets.join(SEPARATOR) });
    return { status: response.status, text: await response.text() };
  }

  /** Connects to the main namespace. @returns The id of its socket. */
  async connect(): Promise<string> {
    await this.post('40');
    const [packet = ''] = await this.poll();
    expect(packet).toMatch(/^40\{"sid":"[^"]+"\}$/);
    return (JSON.parse(packet.slice(2)) as { sid: string }).sid;
  }
}

/** The URL of the engine, with this query. */
export function urlOf(port: number, query: string, scheme = 'http'): string {
  return `${scheme}://127.0.0.1:${port}/socket.io/?${query}`;
}

/** A websocket, and the packets that have come over it. */
export interface Line {
  readonly socket: WebSocket;
  readonly packets: (string | Buffer)[];
  next(): Promise<string | Buffer>;
}

/** Opens a websocket: for a session that is there, or its own. */
export async function lineTo(port: number, sid = ''): Promise<Line> {
  const socket = new WebSocket(urlOf(port, `EIO=4&transport=websocket${sid && `&sid=${sid}`}`, 'ws'));
  onTestFinished(() => socket.terminate());
  const packets: (string | Buffer)[] = [];
  let read = 0;
  socket.on('message', (data: Buffer, isBinary) => packets.push(isBinary ? data : data.toString()));
  await once(socket, 'open');
  const next = async (): Promise<string | Buffer> => {
    const at = read++;
    return until(
      () => packets[at],
      () => `packet ${at}`,
    );
  };
  return { socket, packets, next };
}
