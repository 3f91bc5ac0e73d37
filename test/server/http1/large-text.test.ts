import { describe, expect, it } from 'vitest';
import { Response } from '../../../src/index.ts';
import { collectGarbage } from '../../support/garbage.ts';
import { serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const MiB = 1024 * 1024;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a large text', () => {
  it('is held once for all the clients that do not read it', async () => {
    const text = 'x'.repeat(8 * MiB);
    const { port, server } = await serve(() => Response.text(text), { threads: 0 });
    await collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 8; i++) {
      const client = await talk(port);
      client.socket.pause();
      client.send(GET);
    }
    await until(
      () => server.status().requests === 8 || undefined,
      () => '8 requests',
    );
    await collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MiB); // copies of the text would be 64 MiB
  });

  it.each([
    ['one byte a character', 'a', 200_001],
    ['two', 'é', 200_001],
    ['three', '中', 100_001],
    ['four, in pairs that no piece may cut', '𝄞', 100_001],
    ['a pair behind one byte, so that pairs lie the other way', 'a𝄞', 50_001],
    ['half a pair, which has no encoding', '\ud834', 100_001],
  ])('arrives as it is: %s', async (_what, unit, count) => {
    const text = unit.repeat(count);
    const { port } = await serve(() => Response.text(text));
    const client = await talk(port);
    client.send(GET);
    const [answer] = await client.answers(1);
    expect(Buffer.from(answer?.body ?? '', 'latin1').equals(Buffer.from(text))).toBe(true);
    expect(answer?.headers['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  it('of single characters between pairs arrives as it is, wherever it is cut', async () => {
    const text = `${'a'.repeat(3)}${'𝄞'.repeat(21_843)}b${'𝄞'.repeat(43_690)}`;
    const { port } = await serve(() => Response.text(text));
    const client = await talk(port);
    client.send(GET);
    const [answer] = await client.answers(1);
    expect(Buffer.from(answer?.body ?? '', 'latin1').toString()).toBe(text);
  });
});
