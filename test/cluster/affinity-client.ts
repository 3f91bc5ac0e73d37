/**
 * A client whose requests are passed on: it knows who accepts them, and a key for which another worker answers.
 *
 * @module
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type AgentOptions, Agent as SecureAgent, request as secureRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { until } from '../support/until.ts';
import type { Cluster } from './support.ts';

/** What the fixture tells as JSON. */
export interface Told extends Readonly<Record<string, unknown>> {
  readonly pid: number;
  readonly key: string;
  readonly count: number;
  readonly size: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Told;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** One connection. */
export class Client {
  readonly #origin: string;
  readonly #agent: Agent;
  readonly #tls: AgentOptions;

  constructor(origin: string, tls: AgentOptions = {}) {
    this.#origin = origin;
    this.#tls = tls;
    this.#agent = origin.startsWith('https')
      ? new SecureAgent({ keepAlive: true, maxSockets: 1, ...tls })
      : new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => this.#agent.destroy());
  }

  /** Asks, and gives the response as soon as its head is there. */
  open(
    path: string,
    { method = 'GET', headers = {}, body }: Question = {},
    onInterim = (_status: number): void => {},
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { method, headers, agent: this.#agent, ...this.#tls };
      const sent = this.#origin.startsWith('https') ? secureRequest(this.#origin + path, options) : request(this.#origin + path, options);
      sent
        .on('response', resolve)
        .on('error', reject)
        .on('information', ({ statusCode }) => onInterim(statusCode));
      if (typeof body === 'object' && Symbol.asyncIterator in body) void write(sent, body);
      else sent.end(body);
    });
  }

  async ask(path: string, question: Question = {}): Promise<Asked> {
    const response = await this.open(path, question);
    const body = await text(response.setEncoding('latin1'));
    const isJson = response.headers['content-type']?.startsWith('application/json');
    return { status: response.statusCode ?? 0, headers: response.headers, text: body, json: (isJson ? JSON.parse(body) : {}) as Told };
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function write(
  sent: { write(piece: Uint8Array, done: () => void): boolean; end(): void },
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const piece of body) await new Promise<void>((resolve) => sent.write(piece, resolve));
  sent.end();
}

export interface Passed {
  readonly client: Client;
  /** Its key, as a header. */
  readonly headers: { readonly key: string };
  /** Who has accepted the connection, and who answers for the key. */
  readonly accepting: number;
  readonly answering: number;
}

/**
 * A client and a key whose requests are passed on.
 *
 * @param others Workers that have not accepted the connection.
 */
export async function passed(cluster: Cluster, tls: AgentOptions = {}, ...others: readonly number[]): Promise<Passed> {
  const [client, accepting] = await until(
    async () => {
      const candidate = new Client(cluster.origin, tls);
      const { pid } = (await candidate.ask('/here')).json;
      return others.includes(pid) ? undefined : ([candidate, pid] as const);
    },
    () => 'a connection to another worker',
  );
  let count = 0;
  return until(
    async () => {
      const headers = { key: `key ${count++}` };
      const answering: number = (await client.ask('/peer', { headers })).json.pid;
      return answering === accepting ? undefined : { client, headers, accepting, answering };
    },
    () => 'a key of another worker',
  );
}
