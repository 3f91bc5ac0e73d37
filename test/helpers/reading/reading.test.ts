import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { assertOr400, HttpError, Request, readJson, readJsonAsync, readText, tryOr400, tryOr404 } from '../../../src/index.ts';
import { failure } from '../../support/forms.ts';

const json = (body: string, type = 'application/json'): Request => new Request({ method: 'POST', headers: { 'Content-Type': type }, body });

describe('readText', () => {
  it('reads UTF-8 of any type, and minds its limit', () => {
    expect(readText(json('é', 'x/y'))).toBe('é');
    expect(failure(() => readText(json('12345'), { limit: 4 }))).toMatchObject({ status: 413 });
    expect(readText(json('1234'), { limit: 4 })).toBe('1234');
  });

  it('refuses bytes that are not UTF-8 with 400', () => {
    const request = new Request({ method: 'POST', body: Uint8Array.of(0x61, 0xff) });
    expect(failure(() => readText(request))).toMatchObject({ status: 400, code: 'bad-text' });
  });

  it.each([Number.NaN, -1])('refuses the limit %s, which would let everything in or nothing', (limit) => {
    expect(() => readText(json('1'), { limit })).toThrow(expect.objectContaining({ name: 'RangeError', code: 'bad-option' }));
  });
});

describe('readJson', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON;charset="UTF-8"',
    'application/json; charset=utf8',
    'application/problem+json',
  ])('reads %s', (type) => {
    expect(readJson(json('{"a":1}', type))).toEqual({ a: 1 });
  });

  it.each(['text/plain', 'application/jsonx', 'application/json; charset=latin1', 'application/json x', 'application/json\t; charset', ''])(
    'refuses the type %j with 415',
    (type) => {
      expect(failure(() => readJson(json('{}', type)))).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    },
  );

  it('refuses a missing type, since anybody can send one from a foreign page', () => {
    expect(failure(() => readJson(new Request({ method: 'POST', body: '{}' })))).toMatchObject({ status: 415 });
  });

  it('refuses two Content-Type lines, which are no one type (RFC 9110 §5.3)', () => {
    const headers: [string, string][] = [
      ['Content-Type', 'application/json'],
      ['Content-Type', 'text/plain'],
    ];
    expect(failure(() => readJson(new Request({ method: 'POST', headers, body: '1' })))).toMatchObject({ status: 415 });
  });

  it('says in Accept what it would have read (RFC 9110 §15.5.16)', () => {
    expect(failure(() => readJson(json('1', 'text/plain'))).response.header('accept')).toBe('application/json');
  });

  it.each(['', ' ', '{', '{"a":1}x', "{'a':1}", 'NaN', 'undefined', '[1,]'])('refuses the body %j with 400', (body) => {
    expect(failure(() => readJson(json(body)))).toMatchObject({ status: 400, code: 'bad-json' });
  });

  it('refuses more than its limit with 413, before it parses', () => {
    expect(failure(() => readJson(json('{"a":'), undefined, { limit: 4 }))).toMatchObject({ status: 413, code: 'body-too-large' });
  });

  it('refuses malformed JSON with 400 and does not quote it', () => {
    const error = failure(() => readJson(json('{"secret": tru')));
    expect(error).toMatchObject({ status: 400, code: 'bad-json' });
    expect(error.message).not.toContain('secret');
  });

  it('looks for such names without a reviver, which is called for each value', () => {
    const parse = vi.spyOn(JSON, 'parse');
    readJson(json('{"a":"\\u005f","b":[{"__proto__":1}]}'));
    expect(parse.mock.calls.map((args) => args.length)).toEqual([1]);
    parse.mockRestore();
  });

  it('drops them at any depth, in lists too, and nothing else', () => {
    const value = readJson(
      json('[{"a":[{"constructor":{"prototype":1},"b":{"\\u005f_proto__":2,"c":3}}]},{"constructor":{"x":4}},{"constructor":5}]'),
    );
    expect(JSON.stringify(value)).toBe('[{"a":[{"b":{"c":3}}]},{"constructor":{"x":4}},{"constructor":5}]');
  });

  it('drops __proto__, however it is spelled', () => {
    const value = readJson<{ a: object }>(json('{"a":{"__proto__":{"admin":true},"\\u005f_proto__":{"admin":true}}}'));
    expect((value.a as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.keys(value.a)).toEqual([]);
  });

  it('drops a constructor with a prototype in it, and keeps any other', () => {
    const text = '{"constructor":{"prototype":{"admin":true}},"a":{"c\\u006fnstructor":{"prototype":1}},"b":{"constructor":"Gropius"}}';
    expect(Object.entries(readJson<object>(json(text)))).toEqual([
      ['a', {}],
      ['b', { constructor: 'Gropius' }],
    ]);
  });

  it('reads what is nested 100,000 deep, with such names and without', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(Array.isArray(readJson(json(deep)))).toBe(true);
    expect(readJson(json(`{"__proto__":${deep}}`))).toEqual({});
    expect(readJson(json(`${'{"a":'.repeat(100_000)}{"__proto__":1}${'}'.repeat(100_000)}`))).toHaveProperty('a');
  });

  it('reads numbers of a thousand digits in no time, as JavaScript does', () => {
    expect(readJson(json(`[${'9'.repeat(1000)}, 1e400]`))).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('checks and types by a zod schema', () => {
    const schema = z.object({ text: z.string(), n: z.number().default(3) });
    const note: { text: string; n: number } = readJson(json('{"text":"a"}'), schema);
    expect(note).toEqual({ text: 'a', n: 3 });
    const error = failure(() => readJson(json('{"text":7}'), schema));
    expect(error).toMatchObject({ status: 422, code: 'schema-mismatch', details: { issues: [{ path: ['text'] }] } });
  });

  it('checks by a valibot schema', () => {
    const schema = v.object({ list: v.array(v.object({ n: v.number() })) });
    expect(readJson(json('{"list":[{"n":1}]}'), schema)).toEqual({ list: [{ n: 1 }] });
    expect(failure(() => readJson(json('{"list":[{"n":"x"}]}'), schema)).details).toMatchObject({ issues: [{ path: ['list', '0', 'n'] }] });
  });

  it('refuses an asynchronous schema as the bug it is', () => {
    const schema = z.object({ a: z.string() }).refine(async () => true);
    expect(() => readJson(json('{"a":""}'), schema)).toThrow(
      'Cannot read JSON: the schema is asynchronous: await readJsonAsync(request, schema) instead',
    );
  });

  it('leaves no rejection of an asynchronous schema to end the process', () => {
    const rejected = Promise.reject(new Error('no database'));
    const handled = vi.spyOn(rejected, 'then');
    const schema = { '~standard': { version: 1, vendor: 'test', validate: () => rejected } } as const;
    expect(() => readJson(json('1'), schema)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'bad-option' }));
    expect(handled).toHaveBeenCalledWith(undefined, expect.any(Function));
  });

  it('says so when it is given something else than a schema', () => {
    const options = { limit: 5 } as unknown as undefined;
    expect(() => readJson(json('1'), options)).toThrow('the schema is not a Standard Schema');
  });

  it('takes a schema that is a function, as those of arktype are', () => {
    const schema = Object.assign(() => {}, {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }), types: { output: 0 } },
    } as const);
    expect(readJson(json('7'), schema)).toBe(7);
  });

  it('tells of 100 issues at most, and not all of a long one', () => {
    const many = failure(() => readJson(json(`[${'0,'.repeat(9999)}0]`), v.array(v.string())));
    expect(many.details?.['issues']).toHaveLength(100);
    const long = failure(() => readJson(json(JSON.stringify('x'.repeat(100_000))), v.number()));
    expect(long.response.text()?.length).toBeLessThan(600);
  });
});

describe('readJsonAsync', () => {
  const taken = new Set(['ada']);
  const User = z.object({ name: z.string().refine(async (name) => !taken.has(name), 'is taken') });

  it('gives a promise of what a schema says later', async () => {
    await expect(readJsonAsync(json('{"name":"bob","x":1}'), User)).resolves.toEqual({ name: 'bob' });
  });

  it('is rejected with the 422 of readJson, which names the member', async () => {
    await expect(readJsonAsync(json('{"name":"ada"}'), User)).rejects.toMatchObject({
      status: 422,
      code: 'schema-mismatch',
      message: 'Cannot accept JSON: name: is taken',
      details: { issues: [{ path: ['name'], message: 'is taken' }] },
    });
  });

  it('takes a schema that answers at once, and refuses what is none', async () => {
    await expect(readJsonAsync(json('7'), z.number())).resolves.toBe(7);
    await expect(readJsonAsync(json('7'), undefined as never)).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('is rejected with what the body is refused for, and minds its limit', async () => {
    await expect(readJsonAsync(json('{'), User)).rejects.toMatchObject({ status: 400, code: 'bad-json' });
    await expect(readJsonAsync(json('{}', 'text/plain'), User)).rejects.toMatchObject({ status: 415 });
    await expect(readJsonAsync(json('{"name":"bob"}'), User, { limit: 3 })).rejects.toMatchObject({ status: 413 });
  });

  it('is rejected with what the schema itself fails with', async () => {
    const broken = { '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('no database')) } } as const;
    await expect(readJsonAsync(json('""'), broken)).rejects.toThrow('no database');
  });
});

describe('tryOr400, tryOr404 and assertOr400', () => {
  it('give the value when all is well', () => {
    expect([tryOr400(() => 0), tryOr404(() => ''), tryOr400(() => undefined)]).toEqual([0, '', undefined]);
  });

  it('turn a throw into 400 and 404, keep the cause, and send none of it', () => {
    const cause = new Error('internal');
    const error = failure(() => tryOr400(() => raise(cause)));
    expect(error).toMatchObject({ status: 400, code: 'bad-request', cause });
    expect(error.response.text()).toBe('Bad Request');
    expect(failure(() => tryOr404(() => raise(cause)))).toMatchObject({ status: 404, code: 'not-found' });
  });

  it('let an HttpError be what it is', () => {
    expect(failure(() => tryOr400(() => raise(new HttpError(413)))).status).toBe(413);
  });

  it('take nothing for not found', () => {
    expect(failure(() => tryOr404(() => undefined)).status).toBe(404);
    expect(failure(() => tryOr404(() => null)).status).toBe(404);
  });

  it('do the same for promises', async () => {
    await expect(tryOr400(() => Promise.reject(new Error('x')))).rejects.toMatchObject({ status: 400 });
    await expect(tryOr404(() => Promise.resolve(undefined))).rejects.toMatchObject({ status: 404 });
    await expect(tryOr404(() => Promise.resolve(7))).resolves.toBe(7);
  });

  it('tell the client what the caller says, which parameter it was, also of promises', async () => {
    const cause = new Error('internal');
    const error = failure(() => tryOr400(() => raise(cause), 'day is not a date'));
    expect(error).toMatchObject({ status: 400, message: 'day is not a date', cause });
    expect(error.response.text()).toBe('day is not a date');
    expect(failure(() => tryOr404(() => undefined, 'no such note'))).toMatchObject({ status: 404, message: 'no such note' });
    expect(failure(() => tryOr404(() => raise(cause), 'no such note')).message).toBe('no such note');
    await expect(tryOr400(() => Promise.reject(cause), 'a')).rejects.toMatchObject({ message: 'a', cause });
    await expect(tryOr404(() => Promise.resolve(null), 'b')).rejects.toMatchObject({ message: 'b' });
  });

  it('assert', () => {
    expect(() => assertOr400(1)).not.toThrow();
    expect(failure(() => assertOr400('', 'Give a name'))).toMatchObject({ status: 400, message: 'Give a name' });
  });
});

function raise(error: Error): never {
  throw error;
}
