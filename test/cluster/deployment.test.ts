/** What the pages say of deployment, done as it stands there: the unit of systemd, the image of a container. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { childrenOf, freePort, Program } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'filrouge-deployment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERVER = `import { Response, startServer } from 'filrouge';
startServer(() => Response.text('hello'), { port: Number(process.env.PORT ?? 8000), workers: 1 });
`;

/** A project as a build leaves it. */
function project(name: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, 'dist'), { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(resolve('.'), join(root, 'node_modules/filrouge'));
  writeFileSync(join(root, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }');
  writeFileSync(join(root, 'dist/server.js'), SERVER);
  return root;
}

/** The one fenced block of the page on operations that is marked so. */
function blockOf(language: string): string {
  const blocks = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm)];
  const found = blocks.filter(([, mark]) => mark === language).map(([, , code]) => code ?? '');
  expect(found.length, `blocks marked ${language}`).toBe(1);
  return found[0] ?? '';
}

/** Runs a command in a folder as a service manager does: `cd` and `exec`, so that it is the process itself. */
function run(command: readonly string[], cwd: string, port: number): Program {
  return new Program('/bin/sh', ['-c', 'cd "$0" && exec "$@"', cwd, ...command], { PORT: String(port) });
}

const nodeFor = (word: string): string => (/^(?:\/usr\/bin\/)?node$/.test(word) ? process.execPath : word);

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd) console.warn('SKIPPED: one test of the unit needs systemd-analyze (Debian: apt-get install systemd)');

describe('the systemd unit of docs/operations.md', () => {
  const unit = blockOf('ini');
  const setting = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  it('starts in its WorkingDirectory, reloads by ExecReload, and ends with 0 by SIGTERM', async () => {
    expect(setting('WorkingDirectory')).toMatch(/^\//); // or it starts in /
    const port = await freePort();
    const program = run(setting('ExecStart').split(' ').map(nodeFor), project('unit'), port);
    await program.prints(/serving on/);
    expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe('hello');
    const [before] = childrenOf(program.pid);
    const [command = '', ...args] = setting('ExecReload').replace('$MAINPID', String(program.pid)).split(' ');
    expect(spawnSync(command, args).status).toBe(0);
    await program.prints(/reloaded/);
    expect(childrenOf(program.pid).some((pid) => pid !== before)).toBe(true);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('gives the drain the time that it may take', () => {
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(30);
    expect(setting('KillMode')).toBe('mixed');
  });

  it.skipIf(!hasSystemd)('has nothing that systemd-analyze minds', () => {
    const file = join(folder, 'shop.service');
    writeFileSync(file, `${unit.replace('/usr/bin/node', process.execPath)}\n`);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('shop.service'));
    expect([status, ...complaints]).toEqual([0]);
  });
});

describe('the image of docs/operations.md', () => {
  const lines = blockOf('dockerfile').split('\n');
  const wordsOf = (key: string): string[] => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));

  it('has an init process as process 1, which waits for orphans', () => {
    expect(JSON.parse(wordsOf('ENTRYPOINT')[0] ?? '[]')).toEqual(['tini', '--']);
    expect(wordsOf('RUN').some((command) => /apt-get install .*\btini\b/.test(command))).toBe(true);
  });

  it('holds what its command needs, and nothing more is needed', async () => {
    const built = project('built');
    const image = join(folder, 'image');
    mkdirSync(image);
    symlinkSync(join(built, 'node_modules'), join(image, 'node_modules')); // npm ci
    for (const copy of wordsOf('COPY')) {
      const [from = '', to = ''] = copy.split(' ');
      if (from === 'package*.json') cpSync(join(built, 'package.json'), join(image, 'package.json'));
      else cpSync(join(built, from), join(image, to), { recursive: true });
    }
    const port = await freePort();
    const program = run((JSON.parse(wordsOf('CMD')[0] ?? '[]') as string[]).map(nodeFor), image, port);
    await program.prints(/serving on/);
    expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe('hello');
  });
});

/** What Python makes of a file of configuration: it reads YAML and TOML, and Node does not. */
function parsed<T>(kind: 'yaml' | 'toml', text: string): T {
  const code = {
    yaml: 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))',
    toml: 'import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))',
  }[kind];
  const { stdout, stderr } = spawnSync('python3', ['-c', code], { input: text, encoding: 'utf8' });
  if (stdout === '') throw new Error(`${kind} does not parse: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** All fenced blocks of a page that are marked so. */
function blocksOn(page: string, language: string): string[] {
  const blocks = [...readFileSync(`docs/${page}.md`, 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm)];
  return blocks.filter(([, mark]) => mark === language).map(([, , code]) => code ?? '');
}

const hasParsers = spawnSync('python3', ['-c', 'import tomllib, yaml']).status === 0;
if (!hasParsers) console.warn('SKIPPED: the files of platforms need python3 with tomllib and yaml (Debian: apt-get install python3-yaml)');

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number };
}
interface Pod {
  readonly containers: readonly {
    readonly ports: readonly { readonly containerPort: number }[];
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly readinessProbe: Probe;
    readonly livenessProbe: Probe;
  }[];
  readonly terminationGracePeriodSeconds: number;
}
interface Manifest {
  readonly kind: string;
  readonly spec: {
    readonly selector: Readonly<Record<string, unknown>>;
    readonly template?: { readonly metadata: { readonly labels: Readonly<Record<string, string>> }; readonly spec: Pod };
    readonly ports?: readonly { readonly targetPort: number }[];
  };
}

describe.skipIf(!hasParsers)('the files for platforms', () => {
  it('of Kubernetes have a Deployment and a Service that find each other, on the port of the image', () => {
    const text = blocksOn('operations', 'yaml').find((block) => block.includes('kind: Deployment')) ?? '';
    const [deployment, service] = parsed<[Manifest, Manifest]>('yaml', text);
    expect([deployment.kind, service.kind]).toEqual(['Deployment', 'Service']);
    const { metadata, spec } = deployment.spec.template ?? {};
    expect(deployment.spec.selector).toEqual({ matchLabels: metadata?.labels });
    expect(service.spec.selector).toEqual(metadata?.labels);
    const [container] = spec?.containers ?? [];
    const port = container?.ports[0]?.containerPort;
    expect(service.spec.ports?.[0]?.targetPort).toBe(port);
    expect(container?.env).toEqual([
      { name: 'HOST', value: '0.0.0.0' },
      { name: 'PORT', value: String(port) },
    ]);
    expect([container?.readinessProbe.httpGet.port, container?.livenessProbe.httpGet.port]).toEqual([port, port]);
    expect(spec?.terminationGracePeriodSeconds).toBeGreaterThan(35); // shutdownDelay of 5 s, and the default of shutdownTimeout
    const image = blockOf('dockerfile');
    expect(image).toContain(`EXPOSE ${port}`);
  });

  it('of compose give the drain its time', () => {
    const text = blocksOn('operations', 'yaml').find((block) => block.startsWith('services:')) ?? '';
    const [compose] = parsed<[{ services: { shop: { stop_grace_period: string } } }]>('yaml', text);
    expect(Number.parseInt(compose.services.shop.stop_grace_period, 10)).toBeGreaterThan(30);
  });

  it('of Fly name the port that its environment gives to the program, and more time than its drain may take', () => {
    const [text = ''] = blocksOn('recipes', 'toml');
    const fly = parsed<{
      kill_signal: string;
      kill_timeout: string;
      env: Readonly<Record<string, string>>;
      http_service: { internal_port: number };
    }>('toml', text);
    expect(fly.env['PORT']).toBe(String(fly.http_service.internal_port));
    expect(fly.kill_signal).toBe('SIGTERM');
    const [, timeout] = /shutdownTimeout: (\d+), \/\/ below the platform/.exec(readFileSync('docs/recipes.md', 'utf8')) ?? [];
    expect(Number.parseInt(fly.kill_timeout, 10) * 1000).toBeGreaterThan(Number(timeout));
  });
});

describe('the job for Nomad', () => {
  const [job = ''] = blocksOn('operations', 'hcl');

  it('has as many braces that open as that close, and none in between that does not', () => {
    let depth = 0;
    for (const sign of job.replace(/"[^"]*"/g, '')) {
      if (sign === '{') depth++;
      if (sign === '}') depth--;
      expect(depth).toBeGreaterThanOrEqual(0);
    }
    expect([job.length > 0, depth]).toEqual([true, 0]);
  });

  it('asks for readiness, gives the port to the program, and ends it by SIGTERM', () => {
    const lines = [/path += "\/ready"/, /PORT = "\$\{NOMAD_PORT_http\}"/, /HOST = "0\.0\.0\.0"/, /kill_signal += "SIGTERM"/];
    for (const line of lines) expect(job).toMatch(line);
    const [, seconds] = /kill_timeout += "(\d+)s"/.exec(job) ?? [];
    const [, timeout = ''] = /set\s+`shutdownTimeout: ([\d_]+)`/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(Number(timeout.replace('_', '')));
  });
});
