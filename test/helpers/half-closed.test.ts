/** A client that ends its side behind its request still waits for the answer (RFC 9112 §9.6), also where another server or a program gives it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cgi } from '../../src/cgi.ts';
import { type Request, Response } from '../../src/index.ts';
import { proxy } from '../../src/proxy.ts';
import { serve, talk } from '../support/serve.ts';
import { upstream } from './proxy/upstream.ts';

/** A way to answer, which answers `late` when told. */
interface Way {
  answer(request: Request): Promise<Response>;
  /** Resolves when the request has come to where it is answered. */
  asked(): Promise<unknown>;
  tell(): Promise<unknown>;
}

async function upstreamThat(answer: (request: Request, target: string) => Promise<Response>): Promise<Way> {
  const up = await upstream();
  return {
    answer: (request) => answer(request, up.target),
    asked: async () => (await up.visit()).has(/\r\n\r\n(?:body)?$/),
    tell: async () => (await up.visit()).send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate'),
  };
}

const WAYS: Record<string, () => Promise<Way>> = {
  proxy: () => upstreamThat((request, target) => proxy(request, target)),
  'fetch with the signal of the request': () =>
    upstreamThat(async (request, target) => Response.text(await (await fetch(target, { signal: request.signal })).text())),
  cgi: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const args = ['-c', 'cat > /dev/null; read -r line < "$1"; printf "Content-Type: text/plain\\n\\n%s" "$line"', 'sh', fifo];
    return { answer: (request) => cgi(request, 'sh', { args }), asked: async () => {}, tell: () => writeFile(fifo, 'late\n') };
  },
};

describe.each(Object.keys(WAYS))('a client that has ended its side is answered through %s', (name) => {
  it.each([
    ['a request without a body', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', {}],
    ['a request with a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody', {}],
    ['a request whose body is streamed', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody', { streamBody: () => true }],
    ['a request over HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', {}],
  ])('%s', async (_what, bytes, options) => {
    const way = await (WAYS[name] as () => Promise<Way>)();
    const [errors, signals]: [unknown[], AbortSignal[]] = [[], []];
    const { port } = await serve(
      (request) => {
        if (request.path === '/other') return Response.empty();
        signals.push(request.signal);
        return way.answer(request);
      },
      { ...options, onError: (error) => void errors.push(error) },
    );
    const client = await talk(port);
    client.socket.end(bytes);
    await way.asked();
    const other = await talk(port);
    other.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
    await other.answers(1); // the server has read the end of the first connection by now
    await way.tell();
    await client.closed();
    expect(client.received).toMatch(/HTTP\/1\.1 200 OK\r\n[\s\S]*late(?:\r\n0+\r\n\r\n)?$/); // a zero more, where the server looked whether the client is still there
    expect([errors, signals.map(({ aborted }) => aborted)]).toEqual([[], [false]]);
  });
});
