import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Request, readForm, readFormAsync, type UploadedFile } from '../../../src/index.ts';
import { failure, inMemory, multipart } from '../../support/forms.ts';

const urlencoded = (body: string): Request => inMemory(body, 'application/x-www-form-urlencoded');

describe('readForm by a schema', () => {
  const Note = z.object({ text: z.string().min(1), age: z.coerce.number().optional(), tag: z.array(z.string()).default([]) });

  it('gives what the schema puts out: fields sent once as strings, those sent more often as lists', () => {
    expect(readForm(urlencoded('text=a&age=7&tag=x&tag=y&other=1'), Note)).toEqual({ text: 'a', age: 7, tag: ['x', 'y'] });
  });

  it('answers 422 with the issues, which name the field', () => {
    const error = failure(() => readForm(urlencoded('text=&age=x'), Note));
    expect(error).toMatchObject({ status: 422, code: 'schema-mismatch', details: { issues: [{ path: ['text'] }, { path: ['age'] }] } });
    expect(error.message).toMatch(/^Cannot accept form: text: .* \(and 1 more\)$/);
  });

  it('shows files, beside texts', () => {
    const body = multipart([
      ['name="title"', 'cat'],
      ['name="photo"; filename="a.png"', 'x'],
      ['name="photo"; filename="b.png"', 'yz'],
    ]);
    const Photos = z.object({ title: z.string(), photo: z.array(z.custom<UploadedFile>((file) => (file as UploadedFile).size > 0)) });
    const { title, photo } = readForm(inMemory(body), Photos);
    expect([title, ...photo.map((file) => [file.filename, file.text()])]).toEqual(['cat', ['a.png', 'x'], ['b.png', 'yz']]);
  });

  it('keeps to the limits and the types of a form', () => {
    expect(failure(() => readForm(urlencoded('a=1&b=2'), Note, { fields: 1 }))).toMatchObject({ status: 413 });
    expect(failure(() => readForm(inMemory('{}', 'application/json'), Note))).toMatchObject({ status: 415 });
  });

  it('shows no __proto__, as readJson does', () => {
    expect(Object.entries(readForm(urlencoded('__proto__=1&a=2'), z.looseObject({})))).toEqual([['a', '2']]);
  });

  it('refuses a schema that is asynchronous and names the promise form', () => {
    const later = z.object({}).refine(async () => true);
    expect(() => readForm(urlencoded('a=1'), later)).toThrow(
      'Cannot read form: the schema is asynchronous: await readFormAsync(request, schema) instead',
    );
  });
});

describe('readFormAsync', () => {
  const User = z.object({ name: z.string().refine(async (name) => name !== 'ada', 'is taken') });

  it('gives a promise of what a schema says later', async () => {
    await expect(readFormAsync(urlencoded('name=bob'), User)).resolves.toEqual({ name: 'bob' });
  });

  it('is rejected with the 422 that names the field, and with what the form is refused for', async () => {
    await expect(readFormAsync(urlencoded('name=ada'), User)).rejects.toMatchObject({
      status: 422,
      message: 'Cannot accept form: name: is taken',
    });
    await expect(readFormAsync(inMemory('{}', 'application/json'), User)).rejects.toMatchObject({ status: 415 });
    await expect(readFormAsync(urlencoded('name=bob'), { name: 'string' } as never)).rejects.toMatchObject({ code: 'bad-option' });
  });
});
