/**
 * A folder behind a guard, under random request targets: every known way to spell a path so that guard and file server see two things.
 *
 *     npm run build && npm run fuzz:paths -- --seed 7 --count 1000000
 *
 * The targets go over real connections as they are, many to a write. One secret lies in the folder behind the guard, another beside the folder, with
 * links that lead to it. None may ever come out, the server may not fail, and every target must have its answer.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Response, serveDir, startServer } from '../../dist/index.js';
import { randomOf } from './corpus.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    count: { type: 'string', default: '1000000' },
    lanes: { type: 'string', default: '8' },
  },
});
const random = randomOf(Number(values.seed));
/** The words in some lines, and a number of empty ones. */
const wordsOf = (empty, ...lines) => [...lines.join(' ').split(' '), ...Array.from({ length: empty }, () => '')];
const pick = (list) => list[Math.floor(random() * list.length)];
console.log(`seed ${values.seed}`);

const folder = mkdtempSync(join(tmpdir(), 'filrouge-fuzz-'));
const root = join(folder, 'root');
const FILES = {
  'root/index.html': 'PUBLIC index',
  'root/a.txt': 'PUBLIC a',
  'root/a.txt.gz': 'PUBLIC gz',
  'root/b/c.txt': 'PUBLIC c',
  'root/b/index.html': 'PUBLIC b',
  'root/private/index.html': 'LEAK index',
  'root/private/key.txt': 'LEAK key',
  'root/private/deep/key.txt': 'LEAK deep',
  'root/.hidden': 'LEAK hidden',
  'root/b/.git/config': 'LEAK git',
  'secret.txt': 'ESCAPE secret',
  'outside/index.html': 'ESCAPE index',
  'outside/key.txt': 'ESCAPE key',
  'root-private/key.txt': 'ESCAPE sibling',
};
for (const [name, content] of Object.entries(FILES)) {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
}
symlinkSync('../outside', join(root, 'out'));
symlinkSync('../../secret.txt', join(root, 'b/up'));

let errors = 0;
const server = await startServer(
  (request) => {
    if (request.path.startsWith('/private')) return Response.empty(403);
    return serveDir(request, root) ?? Response.empty(404);
  },
  {
    port: 0,
    workers: 0,
    signals: false,
    onError: (error) => {
      errors++;
      console.error(error);
    },
  },
);
const port = server.address.port;

/** Spellings that a server may take: they are what can get past a guard. */
const MILD = wordsOf(
  1,
  'private private %70rivate priv%61te p%72%69vate %2570rivate PRIVATE private%20 private. private;x %ef%bd%90rivate',
  'key.txt key%2etxt index.html a.txt a.txt b b c.txt out up deep .hidden %2ehidden .git config x .. .. .. . %2e%2e .%2e',
  '%2e. %2e %252e%252e ..; ... secret.txt outside root root-private',
);
const NAMES = wordsOf(
  1,
  'private private private PRIVATE Private %70rivate priv%61te privat%65 %2570rivate p%72%69vate %ef%bd%90rivate',
  '%EF%BB%BFprivate private%20 private. private;x=1 ;private private%3b private%00 private%0a private%09 private::$DATA',
  'PRIVAT~1 private%2f private%5c private\\ root-private root deep key.txt key.txt key.txt KEY.TXT key%2etxt key.txt.',
  'key.txt%00.html key.txt%20 index.html a.txt a.txt b b c.txt out up outside secret.txt .hidden %2ehidden .git config etc',
  'passwd . .. .. .. %2e %2e%2e .%2e %2e. %252e%252e ..; ..;x .; ... .... ..%00 ..%20 ..%0d%0a %c0%ae%c0%ae',
  '\xc0\xae\xc0\xae %e0%80%ae%e0%80%ae %uff0e%uff0e %ef%bc%8e%ef%bc%8e % %2 %zz %00 % ~ * x %ff \xff %c3%a9 \xc3\xa9',
);
const SEPARATORS = wordsOf(
  0,
  '/ / / / / / // /// /./ /../ /.;/ /..;/ /;x/ ;/ /; %2f %2F %252f %5c %5C \\ /\\ \\/ /%2f %2f/ /%2e/ /%2e%2e/ /..%2f',
  '%2f..%2f /..%5c /b/../ /b/%2e%2e/ /b/..%2f /x/../ /b//../ %c0%af \xc0\xaf %e0%80%af %ef%bc%8f %uff0f %00/ /%00/ /?/ /#/',
  '%3f/ %23/ /.%00/ /%20/ /%09/ /~/ /:/ /&/ /=/',
);
const STARTS = wordsOf(
  1,
  '/ / / / / / / / // /// /./ /../ /%2f /%2e/ /.;/ /;/ . .. \\ %2f * ? # http://a http://a/ http://a// http://a/../',
  'HTTP://A:80/ https://a/ http://u@a/ http://a?/ http://a#/ http:/// http:/ file:/// ftp://a/ //a/ a:80/ http://a%2f',
  'http://a\\',
);
const ENDS = wordsOf(
  5,
  '/ // /. /.. . %20 %00 ? ?x=1 ?/../private/key.txt ?a#b # #/../private %3f %23 ; ;/ ~ % .gz .br ::$INDEX_ALLOCATION',
  ':$DATA',
);
const ENCODINGS = ['', '', 'Accept-Encoding: gzip, br\r\n', 'Range: bytes=0-3\r\n', 'If-None-Match: "x"\r\n'];

/** Most targets only step through spellings that a server may take, so that many reach the files; the others may hold anything. */
function targetOf() {
  let target = random() < 0.6 ? '/' : pick(STARTS);
  const isMild = random() < 0.75;
  for (let steps = 1 + Math.floor(random() * 5); steps > 0; steps--) {
    target += pick(isMild ? MILD : NAMES);
    if (steps > 1) target += isMild ? '/' : pick(SEPARATORS);
  }
  target += isMild && random() < 0.7 ? pick(['', '', '/', '/.', '?x=1']) : pick(ENDS);
  if (random() < 0.2) target = mutate(target);
  return target.replaceAll(/[ \r\n]/g, '%20'); // these would end the request line: that is the parser's affair, and tested there
}

function mutate(target) {
  const at = Math.floor(random() * (target.length + 1));
  const kind = Math.floor(random() * 5);
  const character = target.charCodeAt(at);
  if (kind === 0) return target.slice(0, at) + String.fromCharCode(0x21 + Math.floor(random() * 0xde)) + target.slice(at);
  if (kind === 1) return target.slice(0, at) + target.slice(at + 1);
  if (kind === 2 && character) return `${target.slice(0, at)}%${character.toString(16).padStart(2, '0')}${target.slice(at + 1)}`;
  if (kind === 3 && character) return `${target.slice(0, at)}%25${character.toString(16).padStart(2, '0')}${target.slice(at + 1)}`;
  return target.slice(0, at) + target.slice(at).toUpperCase();
}

const PUBLIC = new Set(Object.values(FILES).filter((content) => content.startsWith('PUBLIC')));
const statuses = new Map();
let asked = 0;
let leaks = 0;
let escapes = 0;
let odd = 0;

/** @returns Where the response at `at` ends, or -1 when it is not all there. */
function judge(text, at, target) {
  const headEnd = text.indexOf('\r\n\r\n', at);
  if (headEnd === -1) return -1;
  const head = text.slice(at, headEnd);
  const status = Number(head.slice(9, 12));
  const length = status === 304 ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (end > text.length) return -1;
  const body = text.slice(headEnd + 4, end);
  const key = `${status}${status === 301 ? ` ${/\r\nlocation: (.*)/i.exec(head)?.[1]?.startsWith('//') ? 'elsewhere' : 'here'}` : ''}`;
  statuses.set(key, (statuses.get(key) ?? 0) + 1);
  const isLeak = body.includes('LEAK');
  const isEscape = body.includes('ESCAPE') || body.includes('root:');
  const isOdd =
    status >= 500 ||
    Number.isNaN(status) ||
    key === '301 elsewhere' ||
    (status === 200 && !PUBLIC.has(body)) ||
    (status === 206 && body !== 'PUBL');
  if (isLeak) leaks++;
  if (isEscape) escapes++;
  if (isOdd) odd++;
  if (isLeak || isEscape || isOdd) console.log(JSON.stringify(target), status, JSON.stringify(body.slice(0, 60)));
  return end;
}

/** Sends targets over one connection, and over the next when a refusal has closed it, until all are answered. */
function runLane(targets) {
  return new Promise((resolve, reject) => {
    let done = 0;
    let sent = 0;
    const begin = () => {
      const socket = connect({ port, host: 'localhost' });
      let text = '';
      sent = done;
      const fill = () => {
        if (done === targets.length) return socket.destroy();
        if (sent > done) return undefined;
        let bytes = '';
        for (; sent < targets.length && sent - done < 32; sent++) {
          bytes += `GET ${targets[sent]} HTTP/1.1\r\nHost: a\r\n${pick(ENCODINGS)}\r\n`;
        }
        return socket.write(bytes, 'latin1');
      };
      socket.on('connect', fill);
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        let at = 0;
        for (let end = judge(text, at, targets[done]); end !== -1; end = done < sent ? judge(text, at, targets[done]) : -1) {
          at = end;
          done++;
        }
        text = text.slice(at);
        fill();
      });
      let before = done;
      socket.on('error', () => {}); // a reset after a refusal that was read
      socket.on('close', () => {
        if (done === targets.length) return resolve();
        if (done === before) return reject(new Error(`No answer to ${JSON.stringify(targets[done])}`));
        before = done;
        return begin();
      });
    };
    begin();
  });
}

const count = Number(values.count);
const began = performance.now();
while (asked < count) {
  const size = Math.min(count - asked, 20_000);
  const lanes = Array.from({ length: Number(values.lanes) }, () => []);
  for (let i = 0; i < size; i++) lanes[i % lanes.length].push(targetOf());
  await Promise.all(lanes.filter((targets) => targets.length > 0).map(runLane));
  asked += size;
}
const seconds = ((performance.now() - began) / 1000).toFixed(1);
await server.close({ timeout: 0 });
rmSync(folder, { recursive: true });

for (const [status, times] of [...statuses].toSorted((a, b) => b[1] - a[1])) console.log(`${String(times).padStart(10)}  ${status}`);
const answered = [...statuses.values()].reduce((sum, times) => sum + times, 0);
console.log(
  `${asked.toLocaleString('en')} targets, ${answered.toLocaleString('en')} answers in ${seconds} s: ${leaks} leaks, ${escapes} escapes, ${odd} odd answers, ${errors} errors`,
);
const reached = ['200', '301 here', '403', '404', '400'].filter((key) => (statuses.get(key) ?? 0) < asked / 1000);
if (reached.length > 0) console.log(`Hardly any ${reached.join(', ')}: this says little`);
process.exitCode = leaks + escapes + odd + errors + reached.length === 0 && answered === asked ? 0 : 1;
