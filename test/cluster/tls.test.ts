import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority, copyPair, type Files, serialOf } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

let authority: Authority;
let main: Files;
beforeAll(() => {
  authority = new Authority();
  main = authority.issue('main');
});
afterAll(() => authority.remove());

/** What a worker answers, and over which session. */
interface Visit {
  readonly pid: number;
  readonly client?: string;
  readonly isResumed: boolean;
  readonly serial: string;
  readonly session: Buffer | undefined;
}

/** One request on a connection of its own. */
async function visit({ origin }: Cluster, options: ConnectionOptions = {}): Promise<Visit> {
  const port = Number(new URL(origin).port);
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.pem, ...options });
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => (session = ticket)); // it comes before the answer
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  const isResumed = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const text = await textOf(socket);
  const said = JSON.parse(text.split('\r\n\r\n')[1] ?? '') as Pick<Visit, 'pid' | 'client'>;
  return { ...said, isResumed, serial: serialNumber, session };
}

async function textOf(socket: TLSSocket): Promise<string> {
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

describe('a session is taken up again', () => {
  it('in whichever worker the client arrives, and after a reload', async () => {
    const cluster = await startCluster({ workers: 2, tls: main }, { fixture: 'tls' });
    const first = await visit(cluster);
    expect(first.isResumed).toBe(false);
    const before = await Promise.all(Array.from({ length: 100 }, () => visit(cluster, { session: first.session })));
    expect(before.filter(({ isResumed }) => isResumed)).toHaveLength(100);
    expect(new Set(before.map(({ pid }) => pid)).size).toBe(2);

    cluster.child.kill('SIGHUP');
    await cluster.prints(/reloaded: generation 2 serves/);
    const after = await Promise.all(Array.from({ length: 100 }, () => visit(cluster, { session: first.session })));
    expect(after.filter(({ isResumed }) => isResumed)).toHaveLength(100);
    expect(after.some(({ pid }) => before.some((earlier) => earlier.pid === pid))).toBe(false);
  });
});

describe('a certificate that changes', () => {
  it('is the new one in all workers, and no request fails meanwhile', async () => {
    const files = { cert: join(authority.folder, 'live.pem'), key: join(authority.folder, 'live.key') };
    const take = (by: Files): void => copyPair(by, files);
    take(main);
    const cluster = await startCluster({ workers: 2, tls: files }, { fixture: 'tls' });
    for (const next of [authority.issue('second'), authority.issue('third')]) {
      take(next);
      const seen = new Set<number>();
      await until(
        async () => {
          const { pid, serial } = await visit(cluster);
          if (serial === serialOf(next)) seen.add(pid);
          return seen.size === 2 || undefined;
        },
        () => 'the new certificate in both workers',
      );
    }
    expect(cluster.stderr).not.toMatch(/the old one stays/);
  });

  it('that is broken when a thread or a worker starts stops neither', async () => {
    const files = { cert: join(authority.folder, 'torn.pem'), key: main.key };
    copyFileSync(main.cert, files.cert);
    const cluster = await startCluster({ workers: 1, threads: { min: 1, max: 4 }, tls: files }, { fixture: 'tls' });
    copyFileSync('package.json', files.cert);
    await cluster.prints(/the changed certificate cannot be used, the old one stays: .*holds no PEM text/);
    const visits = await Promise.all(Array.from({ length: 16 }, () => visit(cluster)));
    expect(visits.every(({ serial }) => serial === serialOf(main))).toBe(true);
    cluster.child.kill('SIGHUP');
    await cluster.prints(/reload failed, the old workers keep serving: .*holds no PEM text/);
    expect((await visit(cluster)).serial).toBe(serialOf(main));
  });
});

describe('the certificate of a client', () => {
  it('is seen by a handler in a thread', async () => {
    const ada = authority.issue('ada');
    const tls = { ...main, ca: authority.pem, clientCertificates: 'require' as const };
    const cluster = await startCluster({ workers: 0, threads: 1, tls }, { fixture: 'tls' });
    const given = { cert: readFileSync(ada.cert), key: readFileSync(ada.key) };
    expect((await visit(cluster, given)).client).toBe('CN=ada');
  });
});
