import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cgi } from '../../../src/helpers/cgi.ts';
import { Request, Response } from '../../../src/index.ts';
import { childless, ended, isRunning, node, shell, textOf } from '../../support/cgi/shell.ts';
import { type Served, serve, talk } from '../../support/serve.ts';
import { DEADLINE, until } from '../../support/until.ts';

const PLAIN = "process.stdout.write('Content-Type: text/plain\\n\\n');";
const HEAD = "printf 'Content-Type: text/plain\\n\\n';";
const MIB = 1024 * 1024;
const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
afterEach(() => void errors.mockClear());

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
const post = (body: Uint8Array | string): Request => new Request({ method: 'POST', body });
/** The number that a script has written first. */
const pidIn = (text: string): number => Number(/pid (\d+)/.exec(text)?.[1]);

/** A server whose requests are answered by a script of the shell; what failed is kept. */
async function serveShell(
  script: string,
  options: Parameters<typeof shell>[2] & Parameters<typeof serve>[1] = {},
): Promise<Served & { failed: unknown[] }> {
  const { timeout, ...server } = options;
  const failed: unknown[] = [];
  const served = await serve((request) => shell(script, request, timeout === undefined ? {} : { timeout }), {
    ...server,
    onError: (error) => void failed.push(error),
  });
  return { ...served, failed };
}

describe('the body of a request, to a script', () => {
  it('goes in while the response comes out: 20 MiB both ways by a script that writes before it reads', async () => {
    const body = randomBytes(20 * MIB);
    const script = `${PLAIN} process.stdout.write(Buffer.alloc(${MIB}, 'a'), () => process.stdin.pipe(process.stdout));`;
    const response = await node(script, post(body));
    const output = await response.collect();
    expect(output.length).toBe(21 * MIB);
    expect(sha1(output.subarray(MIB))).toBe(sha1(body));
  });

  it('need not be read: a script that ends without is answered, and a broken pipe is no error', async () => {
    const response = await shell(`exec <&-; ${HEAD} echo done`, post(Buffer.alloc(5 * MIB)));
    expect(await textOf(response)).toBe('done\n');
  });

  it('ends where it ends: a script that reads to the end is not left waiting', async () => {
    expect(await textOf(await shell(`${HEAD} wc -c`, post('hello')))).toMatch(/^\s*5\s*$/);
    expect(await textOf(await shell(`${HEAD} wc -c`, post('')))).toMatch(/^\s*0\s*$/);
    expect(await textOf(await shell(`${HEAD} wc -c`))).toMatch(/^\s*0\s*$/);
  });

  it('comes from disk when it is large, from a client that sends chunks, with its real length', async () => {
    const { port } = await serveShell(`${HEAD} echo $CONTENT_LENGTH; sha1sum`);
    const body = randomBytes(300_000);
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let at = 0; at < body.length; at += 50_000) {
      client.send(`c350\r\n`);
      client.send(body.subarray(at, at + 50_000));
      client.send('\r\n');
    }
    client.send('0\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(answer?.body).toBe(`300000\n${sha1(body)}  -\n`);
  });

  it('comes as the client sends it with streamBody, and is answered before it has ended', async () => {
    const { port } = await serveShell(`${HEAD} echo "length <$CONTENT_LENGTH>"; cat`, { streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n');
    await client.until(/length <>[\s\S]*one/);
    client.send('4\r\ntwo\n\r\n0\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(answer?.body).toBe('length <>\none\ntwo\n');
  });

  it('with streamBody and a length, CONTENT_LENGTH has it', async () => {
    const { port } = await serveShell(`${HEAD} echo "length <$CONTENT_LENGTH>"; cat`, { streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\none\n');
    expect((await client.answers(1))[0]?.body).toBe('length <4>\none\n');
  });

  it('is not shown as complete when the client is cut off within it: the script sees no end before it is ended', async () => {
    // The script says when its input ends; it ignores SIGTERM, so that it lives long enough to see that.
    const script = `trap '' TERM; echo pid $$ >&2; head -c 4; cat >/dev/null; echo end of input >&2`;
    const { port } = await serveShell(script, { streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n');
    const pid = await until(
      () => pidIn(errors.mock.calls.flat().join('\n')) || undefined,
      () => 'the script',
    );
    client.socket.destroy();
    await ended(pid);
    expect(errors.mock.calls.flat().join('\n')).not.toContain('end of input');
  });
});

describe('a response', () => {
  it('begins while the script still works', async () => {
    const { port } = await serveShell(`${HEAD} echo early; read line; echo late`, { streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n');
    await client.until(/early/);
    client.send('\n');
    expect((await client.answers(1))[0]?.body).toBe('early\nlate\n');
  });

  it('is taken from the script no faster than the client takes it', async () => {
    const script = `${PLAIN} let n = 0; const write = () => { while (process.stdout.write(Buffer.alloc(65536))) n++; n++; process.stdout.once('drain', write); };
      setInterval(() => process.stderr.write('at ' + n + '\\n'), 5); write();`;
    const response = await node(script);
    const counts = (): number[] =>
      [
        ...errors.mock.calls
          .flat()
          .join('\n')
          .matchAll(/at (\d+)/g),
      ].map(([, n]) => Number(n));
    await until(
      () => (counts().slice(-5).length === 5 && new Set(counts().slice(-5)).size === 1) || undefined,
      () => 'a script that is held',
    );
    expect(counts().at(-1)).toBeLessThan(20); // pieces of 64 KiB: what two pipes and two buffers hold
    response.dispose();
  });

  it('is cut, for a client that sees Content-Length, when the script gives less', async () => {
    const { port, failed } = await serveShell("printf 'Content-Type: text/plain\\nContent-Length: 9\\n\\nhalf'");
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed();
    expect(client.received).toContain('Content-Length: 9\r\n');
    expect(failed).toMatchObject([{ code: 'wrong-length' }]);
  });

  it('keeps the connection for the next request', async () => {
    const { port } = await serveShell(`${HEAD} echo $REQUEST_METHOD $PATH_INFO`);
    const client = await talk(port);
    client.send(
      'GET /a HTTP/1.1\r\nHost: a\r\n\r\nHEAD /b HTTP/1.1\r\nHost: a\r\n\r\nPOST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
    );
    await client.until(/POST \/c\n/);
    expect(client.received).toMatch(/GET \/a\n/);
    expect(client.received).not.toContain('HEAD /b\n');
  });

  it('does not wait for what the script has left running', async () => {
    const response = await shell(`${HEAD} sleep 60 >/dev/null 2>&1 & echo pid $!`);
    const pid = pidIn(await textOf(response));
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it('ends when the script has closed its output, though it goes on', async () => {
    const response = await shell(`trap 'exit 0' TERM; ${HEAD} echo pid $$; exec >&- ; sleep 60 & wait`, new Request(), { timeout: 1500 });
    const pid = pidIn(await textOf(response));
    expect(isRunning(pid)).toBe(true);
    await ended(pid); // the clock goes on as well
  });
});

describe('a script whose client leaves', () => {
  it('is ended with all that it has started, before it has answered', async () => {
    const { port, failed } = await serveShell('sleep 60 & echo pid $! >&2; wait; echo never');
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const grandchild = await until(
      () => pidIn(errors.mock.calls.flat().join('\n')) || undefined,
      () => 'the script',
    );
    client.socket.destroy();
    await ended(grandchild);
    await childless();
    expect(failed).toEqual([]);
  });

  it('is ended within its body, at once when the client cuts the connection, and that is no error', async () => {
    const { port, failed } = await serveShell(`${HEAD} echo pid $$; sleep 60`);
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const pid = pidIn(await client.until(/pid \d+\n/));
    client.socket.resetAndDestroy();
    await ended(pid);
    expect(failed).toEqual([]);
  });

  it('is ended within its body, when something is to be sent to a client that has ended the connection', async () => {
    const { port, failed } = await serveShell(`${HEAD} echo pid $$; while :; do echo more; sleep 0.05; done`);
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const pid = pidIn(await client.until(/pid \d+\n/));
    client.socket.destroy();
    await ended(pid);
    expect(failed).toEqual([]);
  });

  it('is ended though it writes without end and the client reads nothing of it', async () => {
    const { port, failed } = await serveShell(`${HEAD} echo pid $$; cat /dev/zero`, { writeTimeout: 200 });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const pid = pidIn(await client.until(/pid \d+\n/));
    client.socket.pause();
    await ended(pid);
    expect(failed).toEqual([]);
  });

  it('gets SIGTERM first, as do those it has started, and SIGKILL when it does not end', async () => {
    const polite = await shell(`${HEAD} sh -c 'trap "echo asked >&2; exit 0" TERM; echo pid $$; sleep 60 & wait' & wait`);
    const [piece, source] = await first(polite);
    await source.return?.();
    await ended(pidIn(piece));
    await expect.poll(() => errors.mock.calls.flat().join('\n')).toContain('asked');

    const deaf = await shell(`trap '' TERM; ${HEAD} echo pid $$; while :; do sleep 1; done`);
    const [text, other] = await first(deaf);
    await other.return?.();
    await ended(pidIn(text));
  });

  it('is ended when the handler throws the response away', async () => {
    let pid = 0;
    const { port } = await serve(async (request) => {
      await shell(`echo pid $$ >&2; ${HEAD} sleep 60`, request);
      pid = pidIn(errors.mock.calls.flat().join('\n'));
      return Response.text('other');
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('other');
    await ended(pid);
  });

  it('is not started when the client has gone already', async () => {
    const request = new Request();
    request.abort(new Error('gone'));
    await expect(shell('echo started >&2', request)).rejects.toMatchObject({ status: 499, code: 'client-gone' });
    await childless();
    expect(errors).not.toHaveBeenCalled();
  });

  it('leaves no process behind, a hundred times over', { timeout: 30_000 }, async () => {
    const { port, failed } = await serveShell(`${HEAD} echo ready; sleep 60`);
    const clients = await Promise.all(Array.from({ length: 100 }, () => talk(port)));
    for (const [index, client] of clients.entries()) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      if (index % 3 === 0) client.socket.destroySoon(); // at once; the others when a part of the answer has come
    }
    await Promise.all(clients.map(async (client, index) => index % 3 !== 0 && (await client.until(/ready/))));
    for (const client of clients) client.socket.resetAndDestroy();
    await childless();
    expect(failed).toEqual([]);
  });
});

/** By now a script has started, also on a machine that is busy, ms. */
const STARTED = 1000;

describe('the clock of a script', () => {
  it('answers 504 when nothing has been sent, and says so in the log', async () => {
    const { port, failed } = await serveShell('echo pid $$ >&2; sleep 60', { timeout: STARTED });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(answer?.status).toBe(504);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'script-timeout', message: 'Gateway Timeout' });
    const log = errors.mock.calls.flat().join('\n');
    expect(log).toContain('Ended: it has neither read nor written anything for too long');
    await ended(pidIn(log));
    expect(failed).toEqual([]);
  });

  it('cuts the connection when a part has been sent', async () => {
    const { port, failed } = await serveShell(`${HEAD} echo pid $$; sleep 60`, { timeout: STARTED });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await client.closed();
    expect(text).toContain('pid');
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    await ended(pidIn(text));
    expect(failed).toMatchObject([{ code: 'script-timeout' }]);
  });

  it('ends a script that reads nothing of a body and writes nothing', async () => {
    const request = post(Buffer.alloc(MIB));
    await expect(shell('sleep 60', request, { timeout: 100 })).rejects.toMatchObject({ status: 504 });
  });

  it('runs for a script that has closed its input, and for one whose output others hold open', async () => {
    const { port } = await serveShell('exec <&-; sleep 60', { timeout: 100 });
    const client = await talk(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`);
    expect((await client.answers(1))[0]?.status).toBe(504);
    const held = await shell(`${HEAD} sleep 60 & echo pid $!`, new Request(), { timeout: STARTED });
    await expect(held.collect()).rejects.toMatchObject({ code: 'script-timeout' });
  });

  it('starts anew with each byte: a script that is slow but alive is left alone', async () => {
    const script = `${HEAD} for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done`;
    expect(await textOf(await shell(script, new Request(), { timeout: STARTED }))).toBe('1\n2\n3\n4\n5\n6\n');
  });

  it('stands still while the client is waited for, to read or to send', async () => {
    const reader = await shell(`${HEAD} head -c 3000000 /dev/zero`, new Request(), { timeout: STARTED });
    const [, source] = await first(reader);
    await node(`setTimeout(() => console.log("Status: 204\\n"), ${2 * STARTED})`); // meanwhile nobody reads
    let size = 0;
    for (let step = await source.next(); !step.done; step = await source.next()) size += (step.value as Buffer).length;
    expect(size).toBeGreaterThan(2_900_000);

    const { port } = await serveShell(`${HEAD} cat`, { timeout: STARTED, streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\none\n');
    await client.until(/one/);
    await node(`setTimeout(() => console.log("Status: 204\\n"), ${2 * STARTED})`); // meanwhile nobody sends
    client.send('two\n');
    expect((await client.answers(1))[0]?.body).toBe('one\ntwo\n');
  });

  it.each([
    ['HEAD', HEAD],
    ['GET', "printf 'Status: 204 No Content\\n\\n';"],
    ['GET', "printf 'Location: /other\\n\\n';"],
  ])('is that of the whole rest behind an answer without content, however much is written: %s, %s', async (method, head) => {
    const script = `trap '' TERM; echo pid $$ >&2; ${head} while :; do echo more; sleep 0.05; done`;
    const { port, failed } = await serveShell(script, { timeout: STARTED });
    const client = await talk(port);
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(/\r\n\r\n$/);
    const log = (): string => errors.mock.calls.flat().join('\n');
    expect(isRunning(pidIn(log()))).toBe(true);
    await ended(pidIn(log()));
    expect(log()).toContain('Ended: it has gone on for too long after its answer');
    expect(failed).toEqual([]);
  });

  it('leaves a script time for its work behind such an answer, also when the client has left', async () => {
    const { port } = await serveShell(`${HEAD} head -c 3000000 /dev/zero; sleep 0.3; echo worked >&2`);
    const client = await talk(port);
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n$/);
    client.socket.destroy();
    await childless();
    await expect.poll(() => errors.mock.calls.flat().join('\n')).toContain('worked');
  });

  it('is off with 0', async () => {
    expect(await textOf(await shell(`sleep 0.2; ${HEAD} echo done`, new Request(), { timeout: 0 }))).toBe('done\n');
  });
});

describe('a server that ends', () => {
  it('takes its scripts with it', async () => {
    const built = new URL('../../../dist/', import.meta.url).href;
    const program = `import { cgi } from '${built}cgi.js';
      import { Request } from '${built}index.js';
      const script = "trap '' TERM; echo Content-Type: text/plain; echo; echo pid $$; while :; do sleep 1; done";
      const { content } = await cgi(new Request(), 'sh', { args: ['-c', script] });
      const { value } = await content.source.next();
      process.stdout.write('Content-Type: text/plain\\n\\n' + value, () => process.exit(0));`;
    const response = await cgi(new Request(), process.execPath, { args: ['--input-type=module', '-e', program] });
    await ended(pidIn(await textOf(response)));
  });

  it('has an end though a script goes on writing behind an answer without content', async () => {
    const built = new URL('../../../dist/', import.meta.url).href;
    const program = `import { cgi } from '${built}cgi.js';
      import { startServer } from '${built}index.js';
      const script = 'echo Status: 204; echo; while :; do echo more; sleep 0.05; done';
      const server = await startServer((request) => cgi(request, 'sh', { args: ['-c', script], timeout: ${STARTED} }), { port: 0, workers: 0 });
      const { status } = await fetch(server.url);
      await server.close();
      process.stdout.write('Content-Type: text/plain\\n\\n' + status);`;
    const response = await cgi(new Request(), process.execPath, { args: ['--input-type=module', '-e', program], timeout: DEADLINE });
    expect(await textOf(response)).toBe('204');
    await childless();
  });
});

/** The first piece of a response, and where the others come from. */
async function first(response: Response): Promise<[text: string, source: AsyncIterator<unknown>]> {
  const { source } = response.content as unknown as { source: AsyncIterator<unknown> };
  return [String((await source.next()).value), source];
}
