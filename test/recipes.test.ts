/**
 * Every program of docs/recipes.md does what its page says: compiled as it stands there, against the built package, and run.
 */
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf } from './support/blocks.ts';
import { accepting, freePort, type Program, start } from './support/program.ts';
import { until } from './support/until.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORK = join(ROOT, '.build', 'recipes');
const PAGE = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8');
const BLOCKS = blocksOf('docs/recipes.md', PAGE);
const SECRET = 'a secret of tests, of more than 32 bytes';
/** Each recipe's heading, and the files of its blocks. */
const RECIPES = [...PAGE.matchAll(/^## (.+)$/gm)].map(({ 1: heading = '', index }) => ({
  heading,
  line: PAGE.slice(0, index).split('\n').length,
}));

let folder: string;

/** The compiled program of a recipe. @param index Which of its blocks, from 0. */
function programOf(heading: string, index = 0): string {
  return join(WORK, 'out', `${blocksBelow(heading)[index]?.line}.js`);
}

function blocksBelow(heading: string, info = 'ts'): typeof BLOCKS {
  const at = RECIPES.findIndex((recipe) => recipe.heading === heading);
  const [from, to] = [RECIPES[at]?.line ?? Number.NaN, RECIPES[at + 1]?.line ?? Number.POSITIVE_INFINITY];
  return BLOCKS.filter((block) => block.info === info && block.line > from && block.line < to);
}

/** Starts a recipe's server. @returns Its origin, and the process. */
async function run(heading: string, env: Readonly<Record<string, string>> = {}): Promise<{ origin: string; program: Program }> {
  const port = await freePort();
  const program = start(programOf(heading), { PORT: String(port), ...env });
  await accepting(port);
  return { origin: `http://localhost:${port}`, program };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  for (const { info, line, code } of BLOCKS) if (info === 'ts') writeFileSync(join(WORK, `${line}.ts`), `${code}\nexport {};\n`);
  const compilerOptions = {
    rootDir: '.',
    outDir: 'out',
    declaration: false,
    declarationDir: null,
    isolatedDeclarations: false,
    sourceMap: false,
    inlineSources: false,
  };
  writeFileSync(
    join(WORK, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'], references: [] }),
  );
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', WORK], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot compile the recipes: ${stdout}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the recipes', () => {
  it('are all run by a test of this file', () => {
    const source = readFileSync(fileURLToPath(import.meta.url), 'utf8');
    expect(RECIPES.filter(({ heading }) => !source.includes(`'${heading}'`)).map(({ heading }) => heading)).toEqual([]);
    expect(RECIPES).toHaveLength(11);
  });

  it('let a client in by a valid token, and no other', async () => {
    const { origin } = await run('Tokens (JWT)', { JWT_SECRET: SECRET });
    const token = (claims: { iss?: string; aud?: string; exp?: number; secret?: string }): Promise<string> =>
      new SignJWT({ sub: 'ada' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(claims.iss ?? 'https://login.example.org')
        .setAudience(claims.aud ?? 'notes')
        .setExpirationTime(claims.exp ?? Math.floor(Date.now() / 1000) + 60)
        .sign(Buffer.from(claims.secret ?? SECRET));
    const ask = async (bearer?: string): Promise<globalThis.Response> =>
      fetch(`${origin}/me`, bearer === undefined ? {} : { headers: { Authorization: `Bearer ${bearer}` } });

    const welcome = await ask(await token({}));
    expect([welcome.status, await welcome.json()]).toEqual([200, { user: 'ada' }]);
    const none = await ask();
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const [header, payload] = (await token({})).split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const others = [token({ exp: 1 }), token({ aud: 'other' }), token({ iss: 'x' }), token({ secret: SECRET.toUpperCase() })];
    for (const bearer of [unsigned, `${header}.${payload}.`, ...(await Promise.all(others))]) {
      const refused = await ask(bearer);
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    }
  });

  it('believe a webhook by the signature of its bytes', async () => {
    const { origin, program } = await run('Webhooks', { WEBHOOK_SECRET: SECRET });
    const body = '{ "ref": "refs/heads/main",\n "after": "abc" }';
    const signature = (text: string): string => `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`;
    const send = async (text: string, signed?: string): Promise<number> => {
      const headers = { 'Content-Type': 'application/json', ...(signed === undefined ? {} : { 'X-Hub-Signature-256': signed }) };
      return (await fetch(`${origin}/hooks/push`, { method: 'POST', headers, body: text })).status;
    };
    expect(await send(body, signature(body))).toBe(202);
    await program.prints(/refs\/heads\/main is now at abc/);
    expect(await send(JSON.stringify(JSON.parse(body)), signature(body))).toBe(401); // the same JSON in other bytes
    expect(await send(body)).toBe(401);
    expect(await send(body, 'sha256=00')).toBe(401);
    expect(await send('{}', signature('{}'))).toBe(422);
  });

  it('show a flash message once, as text', async () => {
    const { origin } = await run('Flash messages', { SESSION_SECRET: SECRET });
    const added = await fetch(`${origin}/names`, { method: 'POST', body: new URLSearchParams({ name: '<Ada>' }), redirect: 'manual' });
    expect([added.status, added.headers.get('location')]).toEqual([303, '/']);
    const show = async (cookie: string | undefined): Promise<[string, string | undefined]> => {
      const page = await fetch(origin, { headers: { Cookie: cookie ?? '' } });
      return [await page.text(), page.headers.getSetCookie()[0]?.split(';')[0]];
    };
    const [first, next] = await show(added.headers.getSetCookie()[0]?.split(';')[0]);
    expect(first).toContain('<p role="status">&lt;Ada&gt; is now on the list.</p>');
    expect((await show(next))[0]).not.toContain('role="status"');
    const foreign = { method: 'POST', headers: { Origin: 'http://other.example' }, body: new URLSearchParams({ name: 'x' }) };
    expect((await fetch(`${origin}/names`, foreign)).status).toBe(403);
  });

  it('log with pino: answers, errors and the start, as JSON', async () => {
    const { origin, program } = await run('Logs with pino');
    const asked = await Promise.all(['/', '/panic', '/missing'].map((path) => fetch(origin + path)));
    expect(asked.map(({ status }) => status)).toEqual([200, 500, 404]);
    await program.prints(/"status":404/);
    await program.prints(/"status":500/);
    await program.prints(/"msg":"listening"/);
    const lines = program.stdout.split('\n').filter((line) => line.startsWith('{'));
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toContainEqual(expect.objectContaining({ level: 30, msg: 'listening', url: origin }));
    expect(logged).toContainEqual(
      expect.objectContaining({ level: 30, msg: 'GET / 200', method: 'GET', target: '/', route: '/', status: 200, bytes: 5 }),
    );
    const failed = logged.find(({ msg }) => msg === 'a request failed');
    expect(failed).toMatchObject({ level: 50, err: { message: 'A bug' } });
    expect(logged).toContainEqual(expect.objectContaining({ msg: 'GET /panic 500', status: 500, requestId: failed?.['requestId'] ?? '' }));
  });

  it('add up the figures of all workers for Prometheus, beside those of the server', async () => {
    const metricsPort = await freePort();
    const { origin } = await run('Figures for Prometheus', { METRICS_PORT: String(metricsPort) });
    await accepting(metricsPort); // the primary's own, which may be later than the workers
    for (let i = 0; i < 20; i++) await (await fetch(`${origin}/hello/ada`, { headers: { Connection: 'close' } })).text();
    const figures = await until(
      async () => {
        const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { Accept: 'text/plain' } });
        const text = await response.text();
        return text.includes('shop_answers_total{route="/hello/{name}",status="200"} 20') ? text : undefined;
      },
      () => '20 answers of both workers',
    );
    expect(figures).toMatch(/^filrouge_\w+/m);
    expect((await fetch(`${origin}/metrics`)).status).toBe(404);
  });

  it('do a job in the background that was written down before', async () => {
    const jobs = join(folder, 'jobs');
    const { origin } = await run('Background jobs', { JOBS: jobs });
    const headers = { 'Content-Type': 'application/json' };
    const accepted = await fetch(`${origin}/jobs`, { method: 'POST', headers, body: JSON.stringify({ text: 'a job of five words' }) });
    expect([accepted.status, await accepted.json()]).toEqual([202, { id: expect.any(String) as string, state: 'todo' }]);
    const job = origin + (accepted.headers.get('location') ?? '');
    expect(await (await fetch(job)).json()).toEqual({ state: 'todo' });

    const worker = start(programOf('Background jobs', 1), { JOBS: jobs });
    await until(
      async () => ((await (await fetch(job)).json()) as { state: string }).state === 'done' || undefined,
      () => `the job done: ${worker.stderr}`,
    );
    const [id = ''] = readdirSync(join(jobs, 'done'));
    expect(JSON.parse(readFileSync(join(jobs, 'done', id), 'utf8'))).toEqual({ words: 5 });
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect((await fetch(`${origin}/jobs/../../x`)).status).toBe(404);
  });

  it('resume a large download, and make one while it is sent', async () => {
    const file = join(folder, 'film.mp4');
    writeFileSync(file, Buffer.alloc(1_000_000, 'film'));
    utimesSync(file, 1_000_000_000, 1_000_000_000); // one that was written just now could change within the second
    const { origin } = await run('Large downloads', { FILE: file });
    const whole = await fetch(`${origin}/film`);
    expect([whole.status, whole.headers.get('content-length'), whole.headers.get('content-disposition')]).toEqual([
      200,
      '1000000',
      'attachment; filename="film.mp4"',
    ]);
    await whole.body?.cancel();
    const headers = { Range: 'bytes=999996-', 'If-Range': whole.headers.get('etag') ?? '' };
    const rest = await fetch(`${origin}/film`, { headers });
    expect([rest.status, rest.headers.get('content-range'), await rest.text()]).toEqual([206, 'bytes 999996-999999/1000000', 'film']);
    const rows = (await (await fetch(`${origin}/rows.csv`)).text()).split('\r\n');
    expect([rows.length, rows[0], rows[100_000]]).toEqual([100_002, 'number,square', '100000,10000000000']);
  });

  it('answer htmx with a piece, and others with the page', async () => {
    const { origin } = await run('htmx');
    const page = await fetch(origin);
    expect([page.headers.get('vary'), await page.text()]).toEqual(['HX-Request', expect.stringContaining('<!doctype html>') as string]);
    const asked = { 'HX-Request': 'true' };
    expect(await (await fetch(origin, { headers: asked })).text()).toBe('<ul id="notes"><li>buy bread</li></ul>');
    const added = await fetch(`${origin}/notes`, { method: 'POST', headers: asked, body: new URLSearchParams({ text: '<b>' }) });
    expect(await added.text()).toBe('<ul id="notes"><li>buy bread</li><li>&lt;b&gt;</li></ul>');
    const plain = await fetch(`${origin}/notes`, { method: 'POST', body: new URLSearchParams({ text: 'x' }), redirect: 'manual' });
    expect([plain.status, plain.headers.get('location')]).toEqual([303, '/']);
    const restored = await fetch(origin, { headers: { ...asked, 'HX-History-Restore-Request': 'true' } });
    expect(await restored.text()).toContain('<!doctype html>');
  });

  it('have a Dockerfile whose stages fit together, and whose command starts the program', async () => {
    const [dockerfile] = blocksBelow('Docker in several stages', 'dockerfile');
    const lines = (dockerfile?.code ?? '').split('\n');
    const stages = lines.flatMap((line) => /^FROM \S+ AS (\w+)$/.exec(line)?.[1] ?? []);
    const from = lines.flatMap((line) => /^COPY --from=(\w+) /.exec(line)?.[1] ?? []);
    expect([stages, new Set(from)]).toEqual([['build'], new Set(['build'])]);
    const listOf = (word: string): string[] =>
      JSON.parse(lines.find((line) => line.startsWith(`${word} `))?.slice(word.length) ?? '') as string[];
    expect(listOf('ENTRYPOINT')).toEqual(['tini', '--']);
    const [command, ...args] = listOf('CMD');
    expect([command, args.at(-1)]).toEqual(['node', 'dist/server.js']);
    const env = Object.fromEntries(
      (lines.find((line) => line.startsWith('ENV ')) ?? '')
        .slice(4)
        .split(' ')
        .map((pair) => pair.split('=') as [string, string]),
    );
    expect(env).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '8000' });
    expect(lines).toContain(`EXPOSE ${env['PORT']}`);

    const port = await freePort();
    const program = start(programOf('Platforms that set PORT'), { ...env, PORT: String(port) }, []);
    await accepting(port);
    expect(program.child.spawnargs).toHaveLength(2);
    expect(spawnSync(process.execPath, [...args.slice(0, -1), '--eval', '0']).status).toBe(0); // its flags are known
  });

  it('answer the events of Lambda', async () => {
    const { handler } = (await import(/* @vite-ignore */ pathToFileURL(programOf('AWS Lambda')).href)) as {
      handler: (
        event: object,
      ) => Promise<{ statusCode: number; headers: Record<string, string>; cookies: string[]; body: string; isBase64Encoded: boolean }>;
    };
    const event = (method: string, rawPath: string, more: object = {}): object => ({
      rawPath,
      rawQueryString: '',
      headers: { host: 'abc.lambda-url.eu-west-1.on.aws' },
      isBase64Encoded: false,
      requestContext: { domainName: 'abc.lambda-url.eu-west-1.on.aws', http: { method, sourceIp: '192.0.2.7' } },
      ...more,
    });
    const hello = await handler(event('GET', '/hello/ad%C3%A9', { rawQueryString: 'a=1', cookies: ['a=1', 'b=2'] }));
    expect(hello).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      cookies: [expect.stringMatching(/^seen=yes; .*Secure/) as string],
    });
    expect(Buffer.from(hello.body, 'base64').toString()).toBe('hello, adé');
    expect(hello.headers['content-type']).toBe('text/plain; charset=utf-8');
    const bytes = Buffer.from([0, 1, 0xff]).toString('base64');
    expect((await handler(event('POST', '/echo', { body: bytes, isBase64Encoded: true }))).body).toBe(bytes);
    expect((await handler(event('GET', '/nowhere'))).statusCode).toBe(404);
  });

  it('listen where a platform says, believe its proxy, and end with SIGTERM', async () => {
    const { origin, program } = await run('Platforms that set PORT', { PROXIES: '127.0.0.0/8,::1' });
    const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' };
    expect(await (await fetch(origin, { headers })).json()).toEqual({ client: '192.0.2.7', secure: true });
    expect((await fetch(`${origin}/ready`)).status).toBe(200);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    const { origin: other } = await run('Platforms that set PORT');
    expect(await (await fetch(other, { headers })).json()).toMatchObject({ secure: false });
  });
});
