import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished, vi } from 'vitest';
import { respond } from '../../src/exchange/respond.ts';
import { Request, requestId } from '../../src/index.ts';

/** What is printed when a handler throws, and nobody has given `onError`. */
async function printedFor(thrown: unknown, request: Request = new Request({ method: 'PUT', target: '/a%20b' })): Promise<string> {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const handler = (): never => {
    throw thrown;
  };
  const response = await respond(
    { handler, options: { onError: undefined, errors: 'auto' as const }, requests: 0, current: undefined },
    request,
  );
  expect([response.status, response.text()]).toEqual([500, 'Internal Server Error']);
  expect(printed.mock.calls).toHaveLength(1);
  return printed.mock.calls[0]?.join(' ') ?? '';
}

it('an error is printed with method and path, its stack, its code and what led to it', async () => {
  const error = Object.assign(new TypeError('broken', { cause: new Error('the root') }), { code: 'my-code' });
  const text = await printedFor(error);
  expect(text).toMatch(/^Cannot serve PUT "\/a b": TypeError: broken\n +at .*print-error\.test\.ts:\d+/);
  expect(text).toContain("code: 'my-code'");
  expect(text).toContain('[cause]: Error: the root');
});

it('an error is printed with the id of its request, when there is one', async () => {
  const request = new Request({ target: '/x/a' });
  const id = requestId(request.withoutPrefix('/x') as Request);
  expect(await printedFor(new Error('broken'), request)).toMatch(
    new RegExp(`^Cannot serve GET "/x/a" \\(request ${id}\\): Error: broken\n`),
  );
});

it('an error of another context is an error', async () => {
  expect(await printedFor(runInNewContext('new RangeError("far")'))).toMatch(/^Cannot serve PUT "\/a b": RangeError: far\n/);
});

it.each([
  ['a string', 'x', "a string was thrown, not an Error: 'x'"],
  ['a number', 5, 'a number was thrown, not an Error: 5'],
  ['an object', { a: 1 }, 'an object was thrown, not an Error: { a: 1 }'],
  ['undefined', undefined, 'undefined was thrown, not an Error'],
  ['null', null, 'null was thrown, not an Error'],
])('%s is named as what it is', async (_what, thrown, text) => {
  expect(await printedFor(thrown)).toBe(`Cannot serve PUT "/a b": ${text}`);
});

it('a value that cannot be looked at costs no answer', async () => {
  const hostile = {
    [inspect.custom]() {
      throw new Error('do not look');
    },
  };
  expect(await printedFor(hostile)).toBe('Cannot serve PUT "/a b": an object was thrown, not an Error: object that cannot be shown');
});

it('a message cannot forge a line, nor speak to a terminal', async () => {
  const text = await printedFor(new Error('no \x1b[2J\x9b31m\r\nfilrouge: serving\n}\u2028x'));
  expect(text.split('\n').slice(0, 3)).toEqual([
    'Cannot serve PUT "/a b": Error: no \\u001b[2J\\u009b31m\\u000d',
    '    filrouge: serving',
    '    }\\u2028x',
  ]);
  expect(text.split('\n').filter((line) => /^\S/.test(line))).toHaveLength(1);
});
