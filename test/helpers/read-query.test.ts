import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Request, Response, readQuery } from '../../src/index.ts';
import { failure } from '../support/forms.ts';

const asked = (query: string): Request => new Request({ target: `/list?${query}` });

describe('readQuery by kinds', () => {
  it('converts what was asked for and ignores the rest', () => {
    const query = readQuery(asked('page=2&tag=a&tag=b%20c&ratio=.5&deep=true&x=1'), {
      page: 'uint?',
      tag: 'string[]',
      ratio: 'float',
      deep: 'bool',
      size: 'int?',
    });
    expect(query).toEqual({ page: 2, tag: ['a', 'b c'], ratio: 0.5, deep: true, size: undefined });
  });

  it('takes a number that was left empty for one that was not sent, and an empty string for one that was', () => {
    expect(readQuery(asked('page=&q='), { page: 'uint?', q: 'string' })).toEqual({ page: undefined, q: '' });
  });

  it.each([
    ['page=x', 'bad-field-value', 'Cannot read query: parameter "page" is not a whole number from 0 on'],
    ['page=-1', 'bad-field-value', 'Cannot read query: parameter "page" is not a whole number from 0 on'],
    ['page=9007199254740993', 'bad-field-value', 'Cannot read query: parameter "page" is not a whole number from 0 on'],
    ['page=1&page=2', 'bad-field-value', 'Cannot read query: parameter "page" appears 2 times'],
    ['', 'missing-field', 'Cannot read query: parameter "page" is missing'],
  ])('answers %j with a 400 that names the parameter', (query, code, message) => {
    const error = failure(() => readQuery(asked(query), { page: 'uint' }));
    expect(error).toMatchObject({ status: 400, code, message, details: { field: 'page' } });
  });

  it('gives an object without a prototype, in which __proto__ is a name like any other', () => {
    const query = readQuery(asked('__proto__=1'), { ['__proto__']: 'uint', constructor: 'string?' });
    expect(Object.entries(query)).toEqual([
      ['__proto__', 1],
      ['constructor', undefined],
    ]);
  });

  it('refuses an unknown kind, whatever was sent', () => {
    expect(() => readQuery(asked(''), { page: 'number' as 'int' })).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message:
          'Cannot read query: parameter "page" is asked for as "number", not as string, int, uint, float or bool, with ? or [] behind',
      }),
    );
    expect(() => readQuery(asked(''), { photo: 'file' as 'string' })).toThrow('is asked for as "file"');
    expect(() => readQuery(asked(''), undefined as never)).toThrow('Cannot read query: the parameters are undefined, not an object');
  });
});

describe('readQuery by a schema', () => {
  const Page = z.object({ page: z.coerce.number().int().min(1).default(1), sort: z.enum(['asc', 'desc']).optional() });

  it('gives what the schema puts out', () => {
    expect(readQuery(asked('page=3&x=1'), Page)).toEqual({ page: 3 });
    expect(readQuery(asked(''), Page)).toEqual({ page: 1 });
    expect(readQuery(asked('n=4'), v.object({ n: v.pipe(v.string(), v.transform(Number)) }))).toEqual({ n: 4 });
  });

  it('answers 422 with the issues, as JSON that names the parameter', () => {
    const error = failure(() => readQuery(asked('page=0&sort=up'), Page));
    expect(error).toMatchObject({ status: 422, code: 'schema-mismatch' });
    expect(error.message).toMatch(/^Cannot accept query: page: .* \(and 1 more\)$/);
    const answer = Response.fromError(error, new Request({ headers: { Accept: 'application/json' } }));
    const { issues } = JSON.parse(answer.text() ?? '') as { issues: { path: string[] }[] };
    expect(issues.map(({ path }) => path)).toEqual([['page'], ['sort']]);
  });

  it('shows a parameter that was sent once as a string, one that was sent more often as a list', () => {
    const All = z.record(z.string(), z.unknown());
    expect(readQuery(asked('a=1&b=2&a=3&a=4&constructor=c'), All)).toEqual({ a: ['1', '3', '4'], b: '2', constructor: 'c' });
  });

  it('shows no __proto__, as readJson does', () => {
    const query = readQuery(asked('__proto__=1&a=2'), z.looseObject({}));
    expect(Object.entries(query)).toEqual([['a', '2']]);
  });

  it('refuses a schema that is asynchronous and says what to do', () => {
    const later = z.object({}).refine(async () => true);
    expect(() => readQuery(asked(''), later)).toThrow(
      'Cannot read query: the schema is asynchronous: read with a synchronous one, and await the rest behind it',
    );
  });
});
