import { describe, expect, it } from 'vitest';
import { WrittenHeads } from '../../src/guests/node/written-heads.ts';

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');

describe('the head that a listener writes', () => {
  it('is parsed and checked once when the same text comes again, whatever follows it', () => {
    const text = head('Content-Type: text/plain', 'Content-Length: 3', 'Connection: close');
    const first = new WrittenHeads().push(`${text}one`, 'latin1');
    const second = new WrittenHeads().push(`${text}two`, 'utf8');
    expect([first?.rest, second?.rest]).toEqual(['one', 'two']);
    expect(second?.head).toBe(first?.head);
    expect(second?.head.fields).toBe(first?.head.fields);
    expect(first?.head.fields.flat).toEqual(['Content-Type', 'text/plain', 'Content-Length', '3']);
  });

  it('is another one as soon as a character differs, or a line is longer', () => {
    const texts = [head('A: 1'), head('A: 2'), head('A: 1', 'B: 1'), head('A: 11'), head('A: 1')];
    const found = texts.map((text) => new WrittenHeads().push(`${text}A: 1\r\n\r\n`, 'latin1'));
    expect(found.map((one) => one?.head.fields.flat)).toEqual([
      ['A', '1'],
      ['A', '2'],
      ['A', '1', 'B', '1'],
      ['A', '11'],
      ['A', '1'],
    ]);
    expect(found.map((one) => one?.rest)).toEqual(Array.from(texts, () => 'A: 1\r\n\r\n'));
  });

  it('has its own bytes beyond ASCII, in whichever encoding it is written', () => {
    const text = head('A: \u00e9');
    const found = (['latin1', 'utf8', 'latin1'] as const).map((encoding) => new WrittenHeads().push(text, encoding)?.head.fields.get('a'));
    expect(found).toEqual(['\u00e9', '\u00c3\u00a9', '\u00e9']);
  });

  it.each(['-5', '+5', '1.5', '1e3', '0x10', 'many', '', '3, 3', '9'.repeat(16)])('is refused with the Content-Length "%s"', (length) => {
    const text = head(`Content-Length: ${length}`);
    const refused = `Cannot answer with a listener: its Content-Length is "${length}", not a whole number`;
    expect(() => new WrittenHeads().push(text, 'latin1')).toThrow(refused);
    expect(() => new WrittenHeads().push(Buffer.from(text), 'latin1')).toThrow(refused);
  });
});
