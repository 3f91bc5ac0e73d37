import { afterEach, describe, expect, it, vi } from 'vitest';
import { type CgiOptions, cgi } from '../../../src/helpers/cgi.ts';
import { Request, Response } from '../../../src/index.ts';
import { environmentOf, node, shell, textOf } from '../../support/cgi/shell.ts';

const print = (text: string): string => `printf '%b' '${text}'`;
const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
const printed = (): string => errors.mock.calls.flat().join('\n');
afterEach(() => void errors.mockClear());

describe('cgi', () => {
  it.each<[string, string, CgiOptions]>([
    ['an empty command', '', {}],
    ['a command with NUL', 'a\0b', {}],
    ['args that are no list', 'sh', { args: 'x' as unknown as string[] }],
    ['an argument that is no text', 'sh', { args: [1 as unknown as string] }],
    ['a variable without a name', 'sh', { env: { '': 'x' } }],
    ['a variable whose name holds "="', 'sh', { env: { 'A=B': 'x' } }],
    ['a variable that is no text', 'sh', { env: { A: undefined as unknown as string } }],
    ['a scriptName that ends in a slash', 'sh', { scriptName: '/a/' }],
    ['a scriptName that starts without one', 'sh', { scriptName: 'a' }],
    ['a negative timeout', 'sh', { timeout: -1 }],
    ['a timeout beyond what timers can', 'sh', { timeout: 2 ** 31 }],
    ['a timeout that is no number', 'sh', { timeout: Number.NaN }],
    ['a localRedirect that is no function', 'sh', { localRedirect: '/x' as unknown as () => Response }],
  ])('refuses %s', async (_, command, options) => {
    await expect(cgi(new Request(), command, options)).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('says which program or folder there is not', async () => {
    await expect(cgi(new Request(), '/nowhere/program')).rejects.toMatchObject({
      code: 'script-not-started',
      message: 'Cannot run "/nowhere/program": there is no such program',
    });
    await expect(cgi(new Request(), 'sh', { cwd: '/nowhere' })).rejects.toMatchObject({
      code: 'script-not-started',
      message: 'Cannot run "sh": there is no folder "/nowhere"',
    });
    await expect(cgi(new Request(), '/etc/passwd')).rejects.toMatchObject({ code: 'script-not-started' });
  });

  it('answers 431 when the header does not fit into an environment', async () => {
    const request = new Request({ headers: { 'X-Long': 'x'.repeat(200_000) } });
    await expect(shell('true', request)).rejects.toMatchObject({ status: 431, code: 'header-too-large' });
  });

  it('gives the program its arguments as they are, and never the query (RFC 3875 §4.4, CVE-2012-1823)', async () => {
    const response = await cgi(new Request({ target: '/?-s+--version' }), 'sh', {
      args: ['-c', 'printf "Content-Type: text/plain\n\n"; printf "[%s]" "$@"', 'sh', '$HOME `id`', '*'],
    });
    expect(await textOf(response)).toBe('[$HOME `id`][*]');
  });

  it('runs it where cwd says', async () => {
    expect(await textOf(await shell('printf "Content-Type: text/plain\n\n"; pwd', new Request(), { cwd: '/usr' }))).toBe('/usr\n');
  });
});

describe('the environment of a script (RFC 3875 §4.1)', () => {
  it('has all meta-variables of a request', async () => {
    const request = new Request({
      method: 'POST',
      target: '/cgi-bin/a%20script/extra/p%C3%A4th?x=1&y=%20z',
      headers: { Host: 'example.org:8080', 'Content-Type': 'text/plain', Accept: 'text/html' },
      body: 'hello',
      remoteAddress: '192.0.2.7',
    });
    const { PATH, ...environment } = await environmentOf(request, { scriptName: '/cgi-bin/a script', env: { DOCUMENT_ROOT: '/srv/www' } });
    expect(PATH).toBe(process.env['PATH']);
    expect(environment).toEqual({
      CONTENT_LENGTH: '5',
      CONTENT_TYPE: 'text/plain',
      DOCUMENT_ROOT: '/srv/www',
      GATEWAY_INTERFACE: 'CGI/1.1',
      HTTP_ACCEPT: 'text/html',
      HTTP_HOST: 'example.org:8080',
      PATH_INFO: '/extra/päth',
      PATH_TRANSLATED: '/srv/www/extra/päth',
      QUERY_STRING: 'x=1&y=%20z',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_HOST: '192.0.2.7',
      REQUEST_METHOD: 'POST',
      REQUEST_SCHEME: 'http',
      REQUEST_URI: '/cgi-bin/a%20script/extra/p%C3%A4th?x=1&y=%20z',
      SCRIPT_NAME: '/cgi-bin/a script',
      SERVER_NAME: 'example.org',
      SERVER_PORT: '8080',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_SOFTWARE: 'filrouge',
    });
  });

  it('has the variables that must be there for the barest request, and none of a body', async () => {
    const { PATH: _, ...environment } = await environmentOf(new Request({ target: '/', secure: true }));
    expect(environment).toEqual({
      GATEWAY_INTERFACE: 'CGI/1.1',
      HTTPS: 'on',
      PATH_INFO: '/',
      QUERY_STRING: '',
      REMOTE_ADDR: '',
      REMOTE_HOST: '',
      REQUEST_METHOD: 'GET',
      REQUEST_SCHEME: 'https',
      REQUEST_URI: '/',
      SCRIPT_NAME: '',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '443',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_SOFTWARE: 'filrouge',
    });
  });

  it('holds nothing of ours but PATH', async () => {
    vi.stubEnv('FILROUGE_SECRET', 'secret');
    vi.stubEnv('NODE_OPTIONS', '--no-warnings');
    vi.stubEnv('LD_PRELOAD', '');
    vi.stubEnv('NODE_V8_COVERAGE', '/nowhere');
    const environment = await environmentOf(new Request());
    vi.unstubAllEnvs();
    for (const name of ['FILROUGE_SECRET', 'NODE_OPTIONS', 'LD_PRELOAD', 'NODE_V8_COVERAGE', 'HOME']) {
      expect(environment).not.toHaveProperty(name);
    }
  });

  it('never has HTTP_PROXY from the client, nor credentials, nor fields of the connection (CVE-2016-5385, RFC 3875 §4.1.18)', async () => {
    const names = ['Proxy', 'PROXY', 'Authorization', 'Proxy-Authorization', 'Connection', 'Transfer-Encoding', 'Upgrade', 'TE', 'Expect'];
    const request = new Request({ headers: [...names.map((name) => [name, 'x'] as const), ['Content-Length', '7'], ['X-Kept', 'y']] });
    const environment = await environmentOf(request);
    expect(Object.keys(environment).filter((name) => name.startsWith('HTTP_'))).toEqual(['HTTP_X_KEPT']);
    expect(environment['CONTENT_LENGTH']).toBe('0');
  });

  it('drops names with "_" and other signs: none passes for one with a hyphen', async () => {
    const headers = { 'X-User': 'ada', X_User: 'eve', 'X.User': 'eve', '': 'eve', "X'User": 'eve' };
    const { '': _, ...sendable } = headers;
    expect(await environmentOf(new Request({ headers: sendable }))).toMatchObject({ HTTP_X_USER: 'ada' });
  });

  it('joins the lines of a field, those of Cookie as cookies', async () => {
    const headers = { Accept: ['a/b', 'c/d'], Cookie: ['a=1', 'b=2'], 'X-Empty': '' };
    expect(await environmentOf(new Request({ headers }))).toMatchObject({
      HTTP_ACCEPT: 'a/b, c/d',
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_X_EMPTY: '',
    });
  });

  it('has the bytes that were sent, in fields and in the query', async () => {
    const request = new Request({ target: '/?q=\xc3\xa9', headers: { 'X-Name': '\xc3\xa9t\xc3\xa9', 'X-Old': '\xe9' } });
    expect(await environmentOf(request)).toMatchObject({ HTTP_X_NAME: 'été', HTTP_X_OLD: 'é', QUERY_STRING: 'q=é', REQUEST_URI: '/?q=é' });
  });

  it.each([
    ['example.org', 'example.org', '80'],
    ['[2001:db8::1]:8000', '[2001:db8::1]', '8000'],
    ['my_container:3000', 'my_container', '3000'],
    ["a'onclick=x", 'localhost', '80'],
    ['', 'localhost', '80'],
  ])('takes SERVER_NAME and SERVER_PORT from Host %j, when it is a name', async (host, name, port) => {
    expect(await environmentOf(new Request({ headers: { Host: host } }))).toMatchObject({ SERVER_NAME: name, SERVER_PORT: port });
  });

  it('takes the host of an absolute target for HTTP_HOST too, and gives REQUEST_URI as a path (RFC 9112 §3.2.2)', async () => {
    const request = new Request({ target: 'http://real.example/a%20b?c', headers: { Host: 'other.example' } });
    expect(await environmentOf(request)).toMatchObject({
      HTTP_HOST: 'real.example',
      SERVER_NAME: 'real.example',
      REQUEST_URI: '/a%20b?c',
      PATH_INFO: '/a b',
    });
  });

  it.each([
    ['/app/x/y', undefined, '/app', '/x/y'],
    ['/app', undefined, '/app', ''],
    ['/app/', undefined, '/app', '/'],
    ['/app/x/y', '/app/x', '/app/x', '/y'],
    ['/app/x/y', '/index.php', '/index.php', '/x/y'],
  ])('places %s, cut at /app, with scriptName %s at %s and %s', async (target, scriptName, script, info) => {
    const request = new Request({ target }).withoutPrefix('/app') as Request;
    const environment = await environmentOf(request, scriptName === undefined ? {} : { scriptName });
    expect([environment['SCRIPT_NAME'], environment['PATH_INFO'], environment['REQUEST_URI']]).toEqual([script, info, target]);
  });

  it('cannot be led out of DOCUMENT_ROOT by dots, and has no PATH_TRANSLATED without PATH_INFO (RFC 3875 §4.1.6)', async () => {
    const env = { DOCUMENT_ROOT: '/srv/www' };
    const climbing = await environmentOf(new Request({ target: '/a/%2e%2e/..%2f../../etc/passwd' }), { env });
    expect(climbing['PATH_TRANSLATED']).toBe('/srv/www/etc/passwd');
    const slashes = await environmentOf(new Request({ target: '/..%2fetc' }), { env });
    expect(slashes['PATH_TRANSLATED']).toBe('/srv/www/..%2Fetc');
    expect(await environmentOf(new Request({ target: '/app' }), { env, scriptName: '/app' })).not.toHaveProperty('PATH_TRANSLATED');
  });

  it('has AUTH_TYPE from the request when the handler says who REMOTE_USER is, and only then (RFC 3875 §4.1.1)', async () => {
    const request = new Request({ headers: { Authorization: 'Basic YTpi' } });
    expect(await environmentOf(request)).not.toHaveProperty('AUTH_TYPE');
    expect(await environmentOf(request, { env: { REMOTE_USER: 'a' } })).toMatchObject({ REMOTE_USER: 'a', AUTH_TYPE: 'Basic' });
    expect(await environmentOf(new Request(), { env: { REMOTE_USER: 'a' } })).not.toHaveProperty('AUTH_TYPE');
  });

  it('is what the handler says where it says something', async () => {
    const env = { SERVER_NAME: 'canonical.example', HTTP_AUTHORIZATION: 'Basic YTpi', REDIRECT_STATUS: '1' };
    expect(await environmentOf(new Request({ headers: { Host: 'evil.example' } }), { env })).toMatchObject(env);
  });
});

describe('the response of a script (RFC 3875 §6)', () => {
  it('is a document with Status, type and further fields (§6.2.1)', async () => {
    const head =
      'Status: 404 Nothing Here\\nContent-Type: text/x-a; charset=utf-8\\r\\nX-Empty:\\nSet-Cookie: a=1\\nset-cookie: b=2\\n\\r\\n';
    const response = await shell(print(`${head}body`));
    expect(response.status).toBe(404);
    expect(response.headers).toEqual([
      ['Content-Type', 'text/x-a; charset=utf-8'],
      ['X-Empty', ''],
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
    expect(await textOf(response)).toBe('body');
  });

  it('is 200 without Status, and names of fields have no case', async () => {
    const response = await shell(print('cOnTeNt-TyPe: text/plain\\n\\n\\nline\\n'));
    expect([response.status, response.header('content-type'), await textOf(response)]).toEqual([200, 'text/plain', '\nline\n']);
  });

  it('is a client redirect with Location alone: 302; a status beside it holds (§6.2.3, §6.2.4)', async () => {
    const found = await shell(print('Location: https://a.example/b\\n\\n'));
    expect([found.status, found.header('location')]).toEqual([302, 'https://a.example/b']);
    const moved = await shell(print('Status: 301\\nLocation: /b\\nContent-Type: text/plain\\n\\ngo'));
    expect([moved.status, moved.header('location'), await textOf(moved)]).toEqual([301, '/b', 'go']);
    const elsewhere = await shell(print('Location: //a.example/b\\n\\n'), new Request(), { localRedirect: () => Response.text('local') });
    expect([elsewhere.status, elsewhere.header('location')]).toEqual([302, '//a.example/b']);
  });

  it('sends the client to a local redirect when nobody else answers it (§6.2.2)', async () => {
    const response = await shell(print('Location: /b c?d\\n\\n'));
    expect([response.status, response.header('location'), await textOf(response)]).toEqual([302, '/b%20c?d', '']);
  });

  it('is what localRedirect answers to the request that the script asks for (§6.2.2)', async () => {
    const asked: Request[] = [];
    const request = new Request({
      method: 'POST',
      target: '/a',
      headers: { Host: 'h.example', Cookie: 'c=1', 'Content-Type': 'text/plain' },
      body: 'x',
      remoteAddress: '192.0.2.1',
      secure: true,
    });
    const localRedirect = (next: Request): Response => {
      asked.push(next);
      return Response.text('there').withStatus(203);
    };
    const response = await shell(print('Location: /b?c=d\\n\\n'), request, { localRedirect });
    expect([response.status, response.text()]).toEqual([203, 'there']);
    const [next] = asked;
    expect(next).toMatchObject({ method: 'GET', path: '/b', rawQuery: 'c=d', remoteAddress: '192.0.2.1', secure: true, host: 'h.example' });
    expect(next?.body.size).toBe(0);
    expect(next?.headers).toEqual([
      ['Cookie', 'c=1'],
      ['Host', 'h.example'],
    ]);
    request.abort(new Error('gone'));
    expect(next?.signal.aborted).toBe(true);
  });

  it('is 502 when local redirects lead to each other', async () => {
    let count = 0;
    const again = (request: Request): Promise<Response> => {
      count++;
      return shell(print('Location: /again\\n\\n'), request, { localRedirect: again });
    };
    await expect(again(new Request())).rejects.toMatchObject({ status: 502, code: 'bad-script-output' });
    expect(count).toBe(11);
    expect(printed()).toContain('more than 10 local redirects, the last one to "/again"');
  });

  it.each(['/%zz', '/%ff', '/a%00', '/\\\\b'])(
    'is 502 when a local redirect leads to %s, which no request could ask for',
    async (location) => {
      const localRedirect = (): Response => Response.text('never');
      const script = `printf 'Location: %s\\n\\n' '${location}'`;
      await expect(shell(script, new Request(), { localRedirect })).rejects.toMatchObject({ status: 502, code: 'bad-script-output' });
      expect(printed()).toContain('Cannot answer: a local redirect to a target without a safe meaning, "/');
    },
  );

  it('escapes in Location the bytes that the script wrote, if they are not what stands in a URL', async () => {
    const response = await shell(print('Location: /\\0303\\0251\\n\\n'));
    expect(response.header('location')).toBe('/%C3%A9');
  });

  it('may begin with a status line, as non-parsed-header scripts have it (§5)', async () => {
    const response = await shell(print('HTTP/1.0 418 Teapot\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\n\\r\\nshort'));
    expect([response.status, response.headers, await textOf(response)]).toEqual([418, [['Content-Type', 'text/plain']], 'short']);
  });

  it('keeps what belongs to the connection to itself, and does not take a length for more than it is', async () => {
    const head = 'Content-Type: text/plain\\nConnection: close\\nKeep-Alive: 1\\nUpgrade: x\\nTrailer: y\\nContent-Length: 4\\n\\n';
    const response = await shell(print(`${head}body`));
    expect(response.headers).toEqual([['Content-Type', 'text/plain']]);
    expect(response.content).toMatchObject({ size: 4 });
    expect(await textOf(response)).toBe('body');
  });

  it.each(['HEAD', 'GET'])('has no content for %s where there may be none, whatever the script writes (§4.3.3)', async (method) => {
    const status = method === 'HEAD' ? '' : 'Status: 304 Not Modified\\n';
    const response = await shell(print(`${status}Content-Type: text/plain\\nContent-Length: 4\\n\\nbody`), new Request({ method }));
    expect([response.header('content-type'), await textOf(response)]).toEqual(['text/plain', '']);
    if (method === 'HEAD') expect(response.content).toMatchObject({ size: 4 });
  });

  it.each([
    ['nothing', '', 'has ended with code 0 and has written nothing'],
    ['a head without end', 'Content-Type: text/plain\\n', 'has ended with code 0 within its head'],
    ['an empty head', '\\nbody', 'neither Content-Type, nor Location, nor Status'],
    ['none of the fields that there must be', 'X-A: b\\n\\n', 'neither Content-Type, nor Location, nor Status'],
    ['a line without a colon', 'Content-Type: text/plain\\nhello\\n\\n', '"hello" is not a header field'],
    ['a folded line', 'Content-Type: text/plain\\n folded: x\\n\\n', '" folded: x" is not a header field'],
    ['a space before the colon', 'Content-Type : text/plain\\n\\n', '"Content-Type : text/plain" is not a header field'],
    ['CR within a line', 'Content-Type: text/plain\\rX-Forged: 1\\n\\n', 'is not a header field'],
    ['a control character', 'Content-Type: text/\\001plain\\n\\n', 'is not a header field'],
    ['Content-Type twice', 'Content-Type: a/b\\nContent-Type: c/d\\n\\n', 'content-type appears 2 times'],
    ['Status twice', 'Status: 200\\nStatus: 404\\n\\n', 'status appears 2 times'],
    ['Content-Length twice', 'Status: 200\\nContent-Length: 1\\nContent-Length: 1\\n\\n', 'content-length appears 2 times'],
    ['a status that is none', 'Status: two hundred\\n\\n', '"two hundred" is not a status'],
    ['an interim status', 'Status: 100 Continue\\n\\n', '"100 Continue" is not a status'],
    ['a switch of protocols', 'Status: 101\\n\\n', '"101" is not a status'],
    ['a length that is none', 'Status: 200\\nContent-Length: -1\\n\\n', '"-1" is not a length'],
    ['a transfer coding', 'Status: 200\\nTransfer-Encoding: chunked\\n\\n0\\r\\n\\r\\n', 'transfer coding'],
  ])('is 502 for %s, and the log says why', async (_, output, why) => {
    await expect(shell(print(output))).rejects.toMatchObject({ status: 502, code: 'bad-script-output', message: 'Bad Gateway' });
    expect(printed()).toContain(why);
  });

  it('is 502 for a head that does not end: 64 KiB or 100 fields are read, not more', async () => {
    const endless = 'while :; do echo X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done';
    await expect(shell(endless)).rejects.toMatchObject({ status: 502 });
    await expect(shell('cat /dev/zero')).rejects.toMatchObject({ status: 502 });
    expect(printed()).toContain('its head has more than 65536 bytes');
    await expect(shell(print(`Status: 200\\n${'X-A: b\\n'.repeat(100)}\\n`))).rejects.toMatchObject({ status: 502 });
    expect(printed()).toContain('its head has more than 100 fields');
  });

  it('is 502 for a script that crashes before it has said anything, and names the signal', async () => {
    await expect(shell('kill -SEGV $$')).rejects.toMatchObject({ status: 502 });
    expect(printed()).toContain('the script was ended by SIGSEGV and has written nothing');
  });

  it('fails when a signal ends the script within the body: nobody takes that for whole', async () => {
    const response = await shell(`${print('Content-Type: text/plain\\n\\nhalf')}; kill -KILL $$`);
    await expect(response.collect()).rejects.toMatchObject({ code: 'script-died' });
  });

  it('does not mind an exit code: the response is what it is', async () => {
    expect(await textOf(await shell(`${print('Content-Type: text/plain\\n\\nwhole')}; exit 3`))).toBe('whole');
  });
});

describe('what a script writes to its standard error', () => {
  it('is printed line by line behind its name, with control characters escaped', async () => {
    const script = `printf 'one\\ntwo \\033[31mred\\r\\nthr' >&2; printf 'ee\\303\\251' >&2; ${print('Status: 204\\n\\n')}`;
    await shell(script);
    await expect.poll(() => errors.mock.calls.length).toBe(3);
    const lines = errors.mock.calls.map(([line]) => String(line).replace(/\d+\]/, 'PID]'));
    expect(lines).toEqual(['[cgi sh PID] one', '[cgi sh PID] two \\u001b[31mred', '[cgi sh PID] threeé']);
  });

  it('is bounded, in a line and in all, and goes on being read', async () => {
    const script = `process.stderr.write('x'.repeat(1e5) + '\\n' + 'line\\n'.repeat(1e5), () => process.stdout.write('Status: 204\\n\\n'))`;
    await node(script);
    await expect.poll(printed).toContain('the rest is left out');
    expect(errors.mock.calls[0]?.[0]).toMatch(/^\[cgi node \d+\] x{2000}…$/);
    expect(printed().length).toBeLessThan(1_000_000);
    expect(errors.mock.calls.length).toBeLessThan(15_000);
  });
});
