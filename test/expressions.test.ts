/**
 * No regular expression takes more than linear time, whatever it is given: most of them are given what a client sends.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkSync } from 'recheck';
import { describe, expect, it } from 'vitest';
import { expressionsOf } from './house/expressions.ts';

process.env['RECHECK_BACKEND'] = 'pure'; // neither Java nor a binary of its own

const ROOT = fileURLToPath(new URL('../src/', import.meta.url));
const FILES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

/**
 * What is wrong with an expression; undefined when it is linear. One that is slow is so whatever the checker begins with: it tries its finding
 * out, and on a busy machine a long string alone may seem slow.
 */
function faultOf(pattern: string, flags: string): string | undefined {
  let fault: string | undefined;
  for (const randomSeed of [1, 2, 3]) {
    const result = checkSync(pattern, flags, { timeout: 120_000, randomSeed });
    if (result.status === 'safe') return undefined;
    fault = `/${pattern}/${flags}: ${result.status === 'vulnerable' ? `slow for ${result.attack.pattern}` : 'cannot be judged'}`;
  }
  return fault;
}

describe('every regular expression in src', { timeout: 600_000 }, () => {
  it('takes linear time for every input', () => {
    const faults: string[] = [];
    const known = new Set<string>();
    for (const path of FILES) {
      for (const { line, pattern, flags } of expressionsOf(readFileSync(ROOT + path, 'utf8'))) {
        const expression = `/${pattern}/${flags}`;
        if (known.has(expression)) continue; // the same in several files
        known.add(expression);
        const fault = faultOf(pattern, flags);
        if (fault) faults.push(`${path}:${line} ${fault}`);
      }
    }
    expect(known.size).toBeGreaterThan(80);
    expect(faults).toEqual([]);
  });

  it('is a literal, which can be found', () => {
    expect(FILES.filter((path) => /\bRegExp\(/.test(readFileSync(ROOT + path, 'utf8')))).toEqual([]);
  });
});

describe('the search for expressions', () => {
  it('finds literals with their line, and no division', () => {
    expect(expressionsOf('const a = 1 / 2 / 3;\nconst b = /[ \\t]*$/i;')).toEqual([{ line: 2, pattern: '[ \\t]*$', flags: 'i' }]);
  });

  it('is of use: quadratic and exponential ones are told', () => {
    expect([faultOf('^[ \\t]*[ \\t]*$', ''), faultOf('^(a+)+$', '')]).toEqual([
      expect.stringContaining('slow'),
      expect.stringContaining('slow'),
    ]);
  });
});
