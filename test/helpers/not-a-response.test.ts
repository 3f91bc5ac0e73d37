/** Programs without types: what is given to a finishing helper need not be a Response. */
import { describe, expect, it } from 'vitest';
import {
  compress,
  conditional,
  createCors,
  createSessions,
  logAccess,
  Request,
  Response,
  secureHeaders,
  withSignedCookie,
} from '../../src/index.ts';

const request = new Request();
const cors = createCors({ origins: '*' });
const sessions = createSessions({ secret: 'x'.repeat(32) });
const output = { write: (line: string) => expect.fail(line) };
const FINISHERS: Readonly<Record<string, (response: Response) => Response>> = {
  compress: (response) => compress(request, response),
  conditional: (response) => conditional(request, response),
  'cors.apply': (response) => cors.apply(request, response),
  logAccess: (response) => logAccess(request, response, { output }),
  'session.save': (response) => sessions.open(request).save(response),
  secureHeaders: (response) => secureHeaders(request, response),
  withSignedCookie: (response) => withSignedCookie(request, response, 'a', 'b', { secret: 'x'.repeat(32) }),
};

describe.each(Object.entries(FINISHERS))('%s', (_, finish) => {
  it('refuses the promise of a response, and says what to do', () => {
    const promise = Promise.resolve(Response.text('late')) as unknown as Response;
    expect(() => finish(promise)).toThrow(/^Cannot .*: the response is a promise: await it first$/);
    expect(() => finish(promise)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('refuses nothing, as of a function that forgets to return', () => {
    expect(() => finish(undefined as unknown as Response)).toThrow('the response is undefined, not a Response');
  });

  it('refuses the request in its place', () => {
    expect(() => finish(request as unknown as Response)).toThrow('the response is a Request, not a Response');
  });
});
