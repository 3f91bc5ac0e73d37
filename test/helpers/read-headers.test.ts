import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Request, readHeaders } from '../../src/index.ts';
import { failure } from '../support/forms.ts';

const withHeaders = (...headers: [string, string][]): Request => new Request({ headers });

describe('readHeaders by kinds', () => {
  it('finds a field in any case, and names it as it was asked for', () => {
    const headers = readHeaders(withHeaders(['x-tenant', 'acme'], ['X-DEPTH', '3']), {
      'X-Tenant': 'string',
      'x-depth': 'uint',
      'X-Old': 'bool',
    });
    expect(headers).toEqual({ 'X-Tenant': 'acme', 'x-depth': 3, 'X-Old': false });
  });

  it('reads a list from one line or several, without empty members and with quoted commas (RFC 9110 §5.6.1)', () => {
    const request = withHeaders(['Prefer', 'wait=5, , note="a, b"'], ['Prefer', 'return=minimal']);
    expect(readHeaders(request, { Prefer: 'string[]' })).toEqual({ Prefer: ['wait=5', 'note="a, b"', 'return=minimal'] });
    expect(readHeaders(withHeaders(['X-Ids', '1, 2,3']), { 'X-Ids': 'uint[]', 'X-None': 'uint[]' })).toEqual({
      'X-Ids': [1, 2, 3],
      'X-None': [],
    });
  });

  it('answers with a 400 that names the field', () => {
    expect(failure(() => readHeaders(withHeaders(), { 'X-Tenant': 'string' }))).toMatchObject({
      status: 400,
      code: 'missing-field',
      message: 'Cannot read headers: header "X-Tenant" is missing',
      details: { field: 'X-Tenant' },
    });
    expect(failure(() => readHeaders(withHeaders(['X-A', '1'], ['x-a', '2']), { 'X-A': 'int' })).message).toBe(
      'Cannot read headers: header "X-A" appears 2 times',
    );
  });

  it('refuses a name that no field can have (RFC 9110 §5.1)', () => {
    expect(() => readHeaders(withHeaders(), { 'X Tenant': 'string' })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: 'Cannot read headers: "X Tenant" is no name of a header' }),
    );
  });
});

describe('readHeaders by a schema', () => {
  it('shows all fields with names in lower case, and joins lines as RFC 9110 §5.3 says', () => {
    const request = withHeaders(['X-A', '1'], ['x-a', '2'], ['Cookie', 'a=1'], ['Cookie', 'b=2'], ['__proto__', 'x'], ['Constructor', 'c']);
    const { host: _, ...headers } = readHeaders(request, z.looseObject({}));
    expect(Object.entries(headers)).toEqual([
      ['x-a', '1, 2'],
      ['cookie', 'a=1; b=2'],
      ['constructor', 'c'],
    ]);
  });

  it('answers 422 with the issues, which name the field', () => {
    const error = failure(() => readHeaders(withHeaders(['X-Version', '3']), z.object({ 'x-version': z.enum(['1', '2']) })));
    expect(error).toMatchObject({ status: 422, code: 'schema-mismatch', details: { issues: [{ path: ['x-version'] }] } });
    expect(error.message).toMatch(/^Cannot accept headers: x-version: /);
  });

  it('refuses a schema that is asynchronous', () => {
    const later = z.object({}).refine(async () => true);
    expect(() => readHeaders(withHeaders(), later)).toThrow('Cannot read headers: the schema is asynchronous: read with a synchronous one');
  });
});
