/** Programs without types: each wrong argument is named where it is given, not by what breaks later. */
import { describe, expect, it } from 'vitest';
import {
  accepts,
  acceptsEncodings,
  acceptsLanguages,
  finish,
  HttpError,
  match,
  Request,
  Response,
  readForm,
  router,
} from '../../src/index.ts';
import { websocket } from '../../src/websocket.ts';

const request = new Request();
const seen = (_: Request, response: Response): Response => response;

/** What a call throws, as code and message. */
function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code}: ${message}`;
  }
  return 'nothing';
}

describe('an argument of the wrong kind', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a generator function as events',
      () => Response.events(async function* () {} as never),
      'bad-option: Cannot send events: the source is a function, not an iterable: call it',
    ],
    [
      'nothing as events',
      () => Response.events(undefined as never),
      'bad-option: Cannot send events: the source is undefined, not an iterable',
    ],
    [
      'a pattern as a route',
      () => match(request, /users/ as never),
      'bad-route: Cannot route "object": it is not a string; the request comes first, then the route',
    ],
    [
      'a route before the request',
      () => match('GET /' as never, request as never),
      'bad-route: Cannot route "object": it is not a string; the request comes first, then the route',
    ],
    ['no routes', () => router(undefined as never), 'bad-option: Cannot make a router: the routes are undefined, not an object'],
    [
      'routes in a list',
      () => router([['GET /', () => Response.empty()]] as never),
      'bad-option: Cannot make a router: the routes are a list, not an object',
    ],
    [
      'a status in a string',
      () => Response.empty('201' as never),
      'bad-status: Cannot make a response: status is "201", not a whole number from 200 to 999',
    ],
    [
      'a redirect with options',
      () => Response.redirect('/', { status: 302 } as never),
      'bad-status: Cannot redirect: status {"status":302} is not a redirect: write 301, 302, 303, 307 or 308',
    ],
    [
      'an error with options only',
      () => new HttpError({ status: 404 } as never),
      'bad-status: Cannot make an HttpError: status is {"status":404}, not a whole number from 400 to 599',
    ],
    [
      'an object as a cookie',
      () => Response.empty().withCookie('a', { b: 1 } as never),
      'bad-cookie: Cannot set cookie "a": its value is object, not a string: write String(…) or JSON.stringify(…)',
    ],
    [
      'no fields of a form',
      () => readForm(request, undefined as never),
      'bad-option: Cannot read form: the fields are undefined, not an object',
    ],
    [
      'a constructor as the kind of a field, whatever was sent',
      () => readForm(request, { a: String } as never),
      'bad-option: Cannot read form: field "a" is asked for as function, not as string, int, uint, float, bool or file, with ? or [] behind',
    ],
    [
      'a media type without a list',
      () => accepts(request, 'text/html' as never),
      'bad-option: Cannot choose an offer: the offers are string, not a list',
    ],
    [
      'a language without a list',
      () => acceptsLanguages(request, 'en' as never),
      'bad-option: Cannot choose an offer: the offers are string, not a list',
    ],
    [
      'a coding without a list',
      () => acceptsEncodings(request, 'gzip' as never),
      'bad-option: Cannot choose an offer: the offers are string, not a list',
    ],
    [
      'an answer that was called',
      () => finish(request, Response.text('x') as never, seen),
      'bad-option: Cannot finish response: the answer is no function: give answer itself, not what it returns',
    ],
    ['no answer', () => finish(request, undefined as never), 'bad-option: Cannot finish response: the answer is missing'],
    [
      'a finisher that was called',
      () => finish(request, () => Response.text('x'), Response.text('y') as never),
      'bad-option: Cannot finish response: a finisher is object, not a function: write one with options as (request, response) => …',
    ],
    [
      'a websocket without onOpen',
      () => websocket(request, undefined as never),
      'bad-option: Cannot open websocket: onOpen is undefined, not a function',
    ],
    [
      'a redirect to a field that did not come',
      () => Response.redirect(request.header('referer') as never),
      'bad-option: Cannot redirect: location is undefined, not a string',
    ],
  ])('is named: %s', (_, call, message) => {
    expect(thrownBy(call)).toBe(message);
  });
});
