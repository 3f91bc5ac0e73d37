import { describe, expect, it } from 'vitest';
import { mediaQuality, prefersJson } from '../../../src/http/accept.ts';

describe('mediaQuality (RFC 9110 §12.5.1)', () => {
  it.each([
    [undefined, 1],
    ['*/*', 1],
    ['text/*;q=0.5, */*;q=0.1', 0.5],
    ['text/*, text/html;q=0', 0],
    ['application/json', 0],
    ['TEXT/HTML;Q=0.3', 0.3],
    ['text/html;level=1;q=0.7', 0.7],
  ])('of text/html under %j is %s', (accept, quality) => {
    expect(mediaQuality(accept, 'text/html')).toBe(quality);
  });
});

describe('prefersJson', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', true],
    ['application/json, text/plain;q=0.5', true],
    ['application/json, text/plain, */*', true],
    ['text/html, application/json;q=0.9', false],
    ['application/json;q=0', false],
  ])('for %j is %s', (accept, answer) => {
    expect(prefersJson(accept)).toBe(answer);
  });
});
