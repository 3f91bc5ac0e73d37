/** Answers that are the same again are made once: each client must still get its own. */
import { describe, expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { serve, talk } from '../support/serve.ts';

const ask = (...targets: readonly string[]): string => targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');

describe('an answer of text', () => {
  it.each<[string, readonly string[]]>([
    ['the same again and again', ['one', 'one', 'one', 'one']],
    ['others of the same length', ['one', 'one', 'one', 'two', 'two', 'one', 'two', 'two', 'two']],
    ['others of another length', ['one', 'one', 'one', 'three', 'one', 'one', 'one', '']],
    ['nothing', ['', '', '', 'one', '']],
    ['beyond ASCII, with as many characters', ['één', 'één', 'één', 'een', 'één', 'één']],
    ['as long as a page', ['a'.repeat(3000), 'a'.repeat(3000), 'a'.repeat(3000), 'a'.repeat(50_000), 'a'.repeat(50_000)]],
  ])('%s', async (_, texts) => {
    const { port } = await serve((request) => Response.text(texts[Number(request.path.slice(1))] ?? ''));
    const client = await talk(port);
    client.send(ask(...texts.map((_text, index) => `/${index}`)));
    const answers = await client.answers(texts.length);
    expect(answers.map(({ body }) => Buffer.from(body, 'latin1').toString())).toEqual(texts);
  });

  it('has the status, the fields and the end that it was given, whatever was sent before it', async () => {
    const same = 'same';
    const kinds: Record<string, Response> = {
      '/text': Response.text(same),
      '/gone': Response.text(same).withStatus(410),
      '/html': Response.html(same),
      '/field': Response.text(same).withHeader('X-A', '1'),
      '/closing': Response.text(same).withHeader('Connection', 'close'),
    };
    const { port } = await serve((request) => kinds[request.path] ?? Response.empty(404));
    const client = await talk(port);
    client.send(ask('/text', '/text', '/text', '/gone', '/gone', '/gone', '/text', '/html', '/field', '/field', '/field', '/text'));
    client.send('HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send(ask('/text', '/closing'));
    const heads = (await client.closed()).split(/(?=HTTP\/1\.1 )/);
    expect(
      heads.map((head) => [Number(head.slice(9, 12)), /text\/\w+/.exec(head)?.[0], head.includes('X-A'), head.endsWith(same)]),
    ).toEqual([
      ...Array.from({ length: 3 }, () => [200, 'text/plain', false, true]),
      ...Array.from({ length: 3 }, () => [410, 'text/plain', false, true]),
      [200, 'text/plain', false, true],
      [200, 'text/html', false, true],
      ...Array.from({ length: 3 }, () => [200, 'text/plain', true, true]),
      [200, 'text/plain', false, true],
      [200, 'text/plain', false, false],
      [200, 'text/plain', false, true],
      [200, 'text/plain', false, true],
    ]);
    expect(heads.filter((head) => head.includes('Connection: close'))).toHaveLength(1);
  });

  it('says the time of its own second', async () => {
    const { port } = await serve(() => Response.text('same'));
    const client = await talk(port);
    const dates = new Set<string>();
    for (let count = 1; dates.size < 2; count++) {
      client.send(ask('/'));
      const answers = await client.answers(count);
      dates.add(answers.at(-1)?.headers['date'] ?? '');
    }
    const [first, second] = [...dates].map((date) => Date.parse(date));
    expect((second as number) - (first as number)).toBeGreaterThanOrEqual(1000);
  });

  it('keeps a client of HTTP/1.0 told that the connection goes on', async () => {
    const { port } = await serve(() => Response.text('same'));
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3) + 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'.repeat(3));
    const answers = await client.answers(6);
    expect(answers.map(({ headers }) => headers['connection'])).toEqual([
      undefined,
      undefined,
      undefined,
      'keep-alive',
      'keep-alive',
      'keep-alive',
    ]);
  });
});
