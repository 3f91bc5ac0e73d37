import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { match, Request, Response, readParams, router } from '../../src/index.ts';
import { failure } from '../support/forms.ts';

const at = (target: string): Request => new Request({ target });

describe('readParams by kinds', () => {
  it('converts what a pattern has left as text', () => {
    const found = match(at('/days/2024/5/a/b'), 'GET /days/{year}/{month}/{...rest}');
    expect(found && readParams(found, { year: 'uint', month: 'uint', rest: 'string' })).toEqual({ year: 2024, month: 5, rest: 'a/b' });
  });

  it('takes what a pattern has converted already', () => {
    const found = match(at('/a/-7/true'), 'GET /a/{n:int}/{on:bool}');
    expect(found && readParams(found, { n: 'int', on: 'bool' })).toEqual({ n: -7, on: true });
  });

  it('answers with a 400 that names the parameter, where a pattern would not match', () => {
    const found = match(at('/users/x'), 'GET /users/{id}');
    expect(failure(() => found && readParams(found, { id: 'uint' }))).toMatchObject({
      status: 400,
      code: 'bad-field-value',
      message: 'Cannot read path: parameter "id" is not a whole number from 0 on',
      details: { field: 'id' },
    });
  });

  it('refuses a name that the route does not have, as the mistake of the program that it is', () => {
    const wrong = { ident: 'uint' } as unknown as Readonly<Record<string, never>>;
    expect(() => readParams({ id: '7', tab: 'a' }, wrong)).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: 'Cannot read path: the route has no parameter "ident", only "id", "tab"',
      }),
    );
    expect(() => readParams({}, wrong)).toThrow('the route has no parameter "ident", only literal text');
    expect(() => readParams(Object.create(null) as { [name: string]: string }, { constructor: 'string' })).toThrow(
      'has no parameter "constructor"',
    );
  });

  it('refuses what match returned for another route', () => {
    expect(() => readParams(match(at('/b'), 'GET /a/{id}') as { id: string }, { id: 'uint' })).toThrow(
      'Cannot read path: the parameters are undefined, not an object: give what match returned, once it has matched',
    );
  });
});

describe('readParams by a schema', () => {
  const Day = z.object({ month: z.coerce.number().int().min(1).max(12) });
  const routes = router({ 'GET /months/{month}': (params) => Response.json(readParams(params, Day)) });

  it('gives what the schema puts out, also to a handler of a router', async () => {
    expect((await routes(at('/months/12')))?.text()).toBe('{"month":12}');
  });

  it('answers 422 with the issues, which name the parameter', () => {
    const error = failure(() => routes(at('/months/13')));
    expect(error).toMatchObject({ status: 422, code: 'schema-mismatch', details: { issues: [{ path: ['month'] }] } });
    expect(error.message).toMatch(/^Cannot accept path: month: /);
  });

  it('refuses a schema that is asynchronous', () => {
    const later = z.object({}).refine(async () => true);
    expect(() => readParams({}, later)).toThrow('Cannot read path: the schema is asynchronous: read with a synchronous one');
  });
});
