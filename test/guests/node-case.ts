/**
 * What the differential test of mounted listeners is made of.
 *
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Talk } from '../support/serve.ts';
import type { Sent } from './node-wire.ts';

/** One use, and the bytes that a client sends for it. */
export interface Case {
  readonly name: string;
  /** What the client sends first. */
  readonly sends: string;
  /** @param note Adds to the events that are compared. */
  readonly listener: (req: IncomingMessage, res: ServerResponse, note: (event: string) => void) => void;
  /** What the client does then. @param noted Waits for an event. */
  readonly play?: (client: Talk, noted: (event: string) => Promise<true>) => Promise<unknown>;
  /** How many final answers the client waits for, by default as many as it has sent requests. */
  readonly answers?: number;
  /** What the client still owes of its body when the answer is there. */
  readonly rest?: string;
  /** Whether the body is passed on as it comes; without it both ways are tried. */
  readonly isStreamed?: boolean;
  /** Whether it is chance how the events of `req` lie between the others, as when much is sent. */
  readonly isLoose?: boolean;
  /** Whether a mounted listener never sees the end of `req`. */
  readonly isLeft?: boolean;
  /** What else a server of node:http is given. */
  readonly setUp?: (server: Server) => void;
  /** What the servers listen on, by default 127.0.0.1. */
  readonly host?: string;
}

/** What becomes of a case. */
export interface Outcome {
  readonly sent: readonly Sent[];
  /** Of `req`, of `res` and of the listener, in their order, exchange by exchange, each with the number of its exchange. */
  readonly events: readonly string[];
  /** Whether a further request on the connection is answered. */
  readonly isKept: boolean;
}

/** A part of an outcome. */
export type Part = { readonly [K in keyof Outcome]?: Outcome[K] | readonly Partial<Sent>[] };

/** A case that differs. What is in neither part is the same. */
export interface Difference extends Case {
  /** Its row in the documentation. */
  readonly row: string;
  /** Under node:http. */
  readonly there: Part;
  /** Mounted. */
  readonly here: Part;
}

const HOST = 'Host: a\r\n';
export const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

/** The bytes of a request. */
export function asks(method: string, fields: readonly string[] = [], body = ''): string {
  return `${method} / HTTP/1.1\r\n${HOST}${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
}

export const POST: string = asks('POST', ['Content-Length: 5'], 'hello');
export const HALF: string = asks('POST', ['Content-Length: 5'], 'hel');
