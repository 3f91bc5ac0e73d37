import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/http/errors/error-codes.ts';
import { kindNames } from './fuzz/kinds.mjs';

const page = (name: string): string => readFileSync(`docs/${name}.md`, 'utf8');
/** What stands first in the rows of a page's tables. */
const rows = (text: string): string[] => [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name ?? '');

describe('the docs', () => {
  it('list every error code, and no other', () => {
    expect(rows(page('errors')).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('name every kind of difference to node:http', () => {
    const text = page('http-support').toLowerCase();
    expect(kindNames()).not.toEqual([]);
    expect(kindNames().filter((name) => !text.includes(`| ${name.toLowerCase()}. |`))).toEqual([]);
  });

  it('list every option of the server, and no other', () => {
    const [, body = ''] = /export interface ServerOptions \{([\s\S]*?)\n\}/.exec(readFileSync('src/server/options.ts', 'utf8')) ?? [];
    const options = [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name ?? '');
    expect(options.length).toBeGreaterThan(20);
    expect(rows(page('server')).toSorted()).toEqual(options.toSorted());
  });

  it('have a page for each decision', () => {
    const linked = [...page('decisions/README').matchAll(/\((\d{4}-[\w-]+)\.md\)/g)].map(([, name]) => name ?? '');
    expect(linked.length).toBeGreaterThan(0);
    for (const name of linked) expect(page(`decisions/${name}`)).toMatch(/^# \d{4}: /);
  });
});
