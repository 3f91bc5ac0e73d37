/**
 * A git server: `git http-backend` answers by CGI. Anyone may clone and fetch; pushing takes a password.
 *
 *     npm run build && npm run build:examples
 *     git init --bare repositories/notes.git
 *     GIT_PASSWORD=secret node .build/examples/git-http-backend.js
 *
 *     $ git clone http://localhost:8000/notes.git
 *     $ cd notes && git commit --allow-empty -m first
 *     $ git push http://me:secret@localhost:8000/notes.git HEAD
 *     $ git push http://me:wrong@localhost:8000/notes.git HEAD        fatal: Authentication failed
 *     $ git fetch --depth 1 http://localhost:8000/notes.git
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { resolve } from 'node:path';
import { basicAuth, type Request, Response, startServer } from 'filrouge';
import { cgi } from 'filrouge/cgi';

const ROOT = resolve(process.env['GIT_PROJECT_ROOT'] ?? 'repositories');
const PASSWORD = process.env['GIT_PASSWORD'] ?? '';
const GIBIBYTE = 1024 ** 3;

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, {
  host,
  port: Number(port),
  workers: 2,
  maxBodySize: 2 * GIBIBYTE, // a push; it waits on disk, not in memory
});

function answer(request: Request): Response | Promise<Response> {
  const who = basicAuth(request);
  const user = who && PASSWORD !== '' && isSame(who.password, PASSWORD) ? who.user : undefined;
  if (isPush(request) && user === undefined) {
    return Response.text('Say who you are\n').withStatus(401).withHeader('WWW-Authenticate', 'Basic realm="git"');
  }
  return cgi(request, 'git', {
    args: ['http-backend'],
    env: {
      GIT_PROJECT_ROOT: ROOT,
      GIT_HTTP_EXPORT_ALL: '1', // else only repositories that hold a file "git-daemon-export-ok"
      ...(user !== undefined && { REMOTE_USER: user }), // git lets only a user named here push, whatever we think of the path
    },
    timeout: 10 * 60_000, // while git packs a large repository it is silent for long
  });
}

function isPush(request: Request): boolean {
  return request.path.endsWith('/git-receive-pack') || request.query.get('service') === 'git-receive-pack';
}

/** Compares in constant time: the time does not reveal where they differ. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
