/**
 * HTTP/2: its scenarios, and the servers that speak it.
 *
 * Those with `isSecure` go over TLS, by ALPN; the others over plain TCP, where the client begins without asking.
 *
 * @module
 */
import { join } from 'node:path';
import { HELLO, LARGE } from '../content.mjs';
import { nodeServer, ownVersion, prepareGo, prepareNginx, prepareRust, run, SMALL_SERVER, versionOfPackage } from './peers.mjs';
import { BUILD } from './places.mjs';
import { CPU, RATE } from './scenarios.mjs';

const BODY = 'x'.repeat(1024);

const hello = [{ path: '/', answer: HELLO }];
const echo = [{ method: 'POST', path: '/echo', headers: { 'content-type': 'application/octet-stream' }, body: BODY, answer: BODY }];
const large = [{ path: '/large', answer: LARGE.toString() }];

/** One over plain TCP and the same over TLS. */
function both(scenario) {
  const usual = { load: 'h2load', metrics: [RATE, CPU], isHttp2: true, ...scenario };
  const { name, title } = scenario;
  return [
    { ...usual, name: `h2c-${name}`, title: `HTTP/2: ${title}` },
    { ...usual, name: `h2-${name}`, title: `HTTP/2 over TLS: ${title}`, isSecure: true },
  ];
}

/** @type {readonly import('./scenarios.mjs').Scenario[]} */
export const HTTP2_SCENARIOS = [
  ...both({
    name: 'streams',
    title: 'plaintext, 100 streams',
    how: '8 connections, 100 streams at a time on each.',
    needs: 'hello',
    asks: hello,
    connections: 8,
    streams: 100,
  }),
  ...both({
    name: 'single',
    title: 'plaintext, one at a time',
    how: '64 connections, one stream at a time on each.',
    needs: 'hello',
    asks: hello,
    connections: 64,
    streams: 1,
  }),
  ...both({
    name: 'echo',
    title: 'POST 1 KiB',
    how: 'The body is read and sent back; 8 connections, 100 streams at a time on each.',
    needs: 'echo',
    asks: echo,
    connections: 8,
    streams: 100,
  }),
  ...both({
    name: 'large',
    title: '64 KiB down',
    how: 'Bytes out of memory; of nginx and nghttpd a file. 8 connections, 10 streams at a time on each.',
    needs: 'large',
    asks: large,
    connections: 8,
    streams: 10,
  }),
  {
    name: 'h2c-idle',
    title: 'HTTP/2: memory per idle connection',
    how: '2,000 connections over plain TCP, each after one request: resident memory with them less that before, over their number; and the same of the heap of V8, after a collection.',
    needs: 'idle',
    asks: hello,
    load: 'idle',
    connections: 8,
    streams: 100,
    idle: 2000,
    isHttp2: true,
    metrics: [
      { key: 'kib', title: 'KiB a connection', digits: 2, isLessBetter: true },
      { key: 'heap', title: 'of it V8 heap, KiB', digits: 2, isLessBetter: true },
      { key: 'mib', title: 'MiB in all', digits: 1, isLessBetter: true },
    ],
    rounds: 5,
  },
];

/** @type {readonly import('./peers.mjs').Peer[]} */
export const HTTP2_PEERS = [
  speaking('filrouge', 'filrouge', 'filrouge.mjs', ownVersion),
  speaking('node', 'node:http2, streams', 'node-http2.mjs', () => process.versions.node),
  { ...speaking('node-compat', 'node:http2, compatible', 'node-http2.mjs', () => process.versions.node), env: { BENCH_COMPAT: '1' } },
  speaking('fastify', 'fastify', 'fastify.mjs', () => versionOfPackage('fastify'), true),
  { name: 'nghttpd', title: 'nghttpd', isFramework: false, lacks: [], prepare: prepareNghttpd },
  { name: 'nginx', title: 'nginx', isFramework: false, lacks: ['echo'], prepare: prepareNginx },
  { name: 'go', title: 'Go net/http', isFramework: false, lacks: ['plain'], prepare: prepareGo },
  { name: 'hyper', title: 'hyper (Rust)', isFramework: false, lacks: SMALL_SERVER, prepare: () => prepareRust('rust-hyper', 'hyper') },
];

function speaking(name, title, script, versionOf, isFramework = false) {
  return nodeServer(name, title, script, versionOf, isFramework, [], ['--expose-gc']);
}

/** The server of nghttp2, the library in node:http2. It serves files, and sends bodies back. */
function prepareNghttpd() {
  const { error, stdout } = run('nghttpd', ['--version']);
  if (error) return 'nghttpd is not installed (Debian: nghttp2-server)';
  const argsOf = (port, isSecure) => [
    '--address=127.0.0.1',
    `--htdocs=${join(BUILD, 'nghttpd')}`,
    '--echo-upload',
    '--max-concurrent-streams=100',
    ...(isSecure ? [String(port), join(BUILD, 'key.pem'), join(BUILD, 'cert.pem')] : ['--no-tls', String(port)]),
  ];
  return { version: /nghttp2\/([\d.]+)/.exec(stdout)?.[1] ?? '', command: 'nghttpd', argsOf };
}
