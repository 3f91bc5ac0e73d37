import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Response, serveDir } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { Authority } from '../../support/certificates.ts';
import { serve } from '../../support/serve.ts';

const MiB = 1024 * 1024;

/** Four files of 3 MiB, and a server for them. */
async function files(options: ServerOptions = {}): Promise<{ port: number; hashes: string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const hashes = Array.from({ length: 4 }, (_, i) => {
    const bytes = randomBytes(3 * MiB + i);
    writeFileSync(join(root, `${i}.bin`), bytes);
    return createHash('sha256').update(bytes).digest('hex');
  });
  const { port } = await serve((request) => serveDir(request, root) ?? Response.empty(404), options);
  return { port, hashes };
}

/** Asks for a file and reads to the end of the connection. @param rests Whether the client stops reading for a turn after each piece. */
async function hashOf(socket: Socket, target: string, rests: boolean): Promise<string> {
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  const hash = createHash('sha256');
  let isBody = false;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    const start = isBody ? 0 : piece.indexOf('\r\n\r\n') + 4;
    isBody = true;
    hash.update(piece.subarray(start));
    if (rests) await new Promise((resolve) => setImmediate(resolve));
  }
  return hash.digest('hex');
}

describe('large files', () => {
  it('come whole and unmixed to many clients at once, of which some read haltingly and some leave', async () => {
    const { port, hashes } = await files();
    const clients = Array.from({ length: 40 }, (_, i) => {
      const socket = connect(port, '127.0.0.1');
      if (i % 5 === 4) socket.once('data', () => socket.destroy());
      return hashOf(socket, `/${i % 4}.bin`, i % 2 === 0).catch(() => '');
    });
    const read = await Promise.all(clients);
    for (const [i, hash] of read.entries()) if (i % 5 < 4) expect(hash).toBe(hashes[i % 4]);
  });

  it('come whole and unmixed over TLS', async () => {
    const authority = new Authority();
    onTestFinished(() => rmSync(authority.folder, { recursive: true }));
    const { port, hashes } = await files({ tls: authority.issue('files') });
    const read = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        hashOf(connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false }), `/${i % 4}.bin`, i % 2 === 0),
      ),
    );
    expect(read).toEqual(Array.from({ length: 12 }, (_, i) => hashes[i % 4]));
  });
});
