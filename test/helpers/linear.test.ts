import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import * as filrouge from '../../src/index.ts';
import { compress, createSessions, logAccess, match, Request, Response, readForm } from '../../src/index.ts';

it('has nothing to register with: no middleware, no hooks, no plugins', () => {
  const names = Object.keys(filrouge);
  expect(names).toContain('startServer');
  const ofOneRequest = new Set(['onSent']); // it takes the request it is about, and is over with it
  const others = names.filter((name) => !ofOneRequest.has(name));
  expect(others.filter((name) => /middleware|plugin|hook|register|^(?:use|next|on[A-Z]|before|after)/i.test(name))).toEqual([]);
  expect(Object.getOwnPropertyNames(Request.prototype).concat(Object.getOwnPropertyNames(Response.prototype))).not.toContain('next');
});

it('logs, opens a session, routes and compresses in one synchronous function, in the order of its lines', () => {
  const sessions = createSessions<{ name: string }>({ secret: randomBytes(32).toString('hex') });
  const lines: string[] = [];
  function handle(request: Request): Response {
    const session = sessions.open(request);
    let response = Response.empty(404);
    if (match(request, 'POST /login')) {
      session.data.name = readForm(request, { name: 'string' }).name;
      response = Response.redirect('/');
    }
    if (match(request, 'GET /')) response = Response.text(`hello, ${session.data.name ?? 'nobody'}. `.repeat(100));
    return logAccess(request, compress(request, session.save(response)), { output: { write: (line) => lines.push(line) } });
  }

  const login = handle(new Request({ method: 'POST', target: '/login', body: new URLSearchParams({ name: 'ada' }) }));
  const cookie = login.header('set-cookie')?.split(';')[0] ?? '';
  const home = handle(new Request({ headers: { Cookie: cookie } }));
  const small = handle(new Request({ headers: { Cookie: cookie, 'Accept-Encoding': 'gzip' } }));
  expect([login.status, home.text()?.slice(0, 12), small.header('content-encoding')]).toEqual([303, 'hello, ada. ', 'gzip']);
  expect(lines.map((line) => line.split(' ').slice(2, 5).join(' '))).toEqual(['POST /login 303', 'GET / 200', 'GET / 200']);
});
