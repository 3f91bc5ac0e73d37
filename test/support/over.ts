/**
 * The protocol that the servers of the tests are asked over: `FILROUGE_OVER` is http (the default), https, h2 or h2c.
 *
 * Tests and their clients speak HTTP/1.1 whatever it is; a gateway (`gateway.ts`) stands between them and the server.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/server/options.ts';
import { Authority } from './certificates.ts';
import { openGateway } from './gateway.ts';

/** What the switch can say. */
export type Protocol = 'http' | 'https' | 'h2' | 'h2c';

const PROTOCOLS: readonly string[] = ['http', 'https', 'h2', 'h2c'];

/** What it says. */
export const OVER: Protocol = protocolOf(process.env['FILROUGE_OVER'] ?? 'http');

/** For tests about what only HTTP/1.1 has: its bytes, its connections, its framing. */
export const isOverHttp2: boolean = OVER === 'h2' || OVER === 'h2c';

/** For tests about what only a connection without TLS has. */
export const isOverTls: boolean = OVER === 'https' || OVER === 'h2';

let pair: { cert: string; key: string } | undefined;

function protocolOf(text: string): Protocol {
  if (!PROTOCOLS.includes(text)) throw new Error(`FILROUGE_OVER is "${text}", not one of ${PROTOCOLS.join(', ')}`);
  return text as Protocol;
}

/** What a server needs to be asked over that protocol. */
export function optionsOver(): ServerOptions {
  if (OVER === 'h2c') return { h2c: true };
  if (!isOverTls) return {};
  pair ??= makePair();
  return { tls: pair, ...(OVER === 'https' && { http2: false }) };
}

/** Authority and certificate are gone when the pair is read. */
function makePair(): { cert: string; key: string } {
  const authority = new Authority();
  try {
    const { cert, key } = authority.issue('over', { names: ['localhost'] });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    authority.remove();
  }
}

/** The port on which a server is asked in HTTP/1.1: its own, or that of a gateway, which is closed when the test ends. */
export async function portOver(port: number): Promise<number> {
  if (OVER === 'http') return port;
  const gateway = await openGateway(port, OVER);
  onTestFinished(() => gateway.close());
  return gateway.port;
}
