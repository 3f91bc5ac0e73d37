/** The tests on docs/testing.md, run as a reader would: each block a file of its own, by `node --test`, against the built package. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, hasChromium } from './support/chromium.ts';
import { startCommand } from './support/program.ts';

const WORK = resolve('.build/testing-page');
const PAGE = readFileSync('docs/testing.md', 'utf8');
/** Each block with the heading above it. */
const BLOCKS = PAGE.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^```ts\n([\s\S]*?)\n```$/gm)].map(([, code = '']) => ({ heading: section.split('\n', 1)[0] ?? '', code })),
);

describe('docs/testing.md', () => {
  beforeAll(async () => {
    rmSync(WORK, { recursive: true, force: true });
    mkdirSync(WORK, { recursive: true });
    writeFileSync(join(WORK, 'empty-cart.http'), /^```http\n([\s\S]*?)\n```$/m.exec(PAGE)?.[1] ?? '');
    for (const [i, { code }] of BLOCKS.entries()) {
      const input = join(WORK, `${i}.ts`);
      writeFileSync(input, code);
      await build({
        input,
        platform: 'node',
        external: /^(?:node:|filrouge|playwright-core)/,
        transform: { target: 'es2022' },
        output: { file: fileOf(i) },
      });
    }
  });

  it('has a test for each of its subjects, from the handler to the browser', () => {
    expect(BLOCKS.map(({ heading }) => heading)).toEqual([
      'The handler',
      'Bodies',
      'Errors',
      'Several calls in a row',
      'Over a connection',
      'In a browser',
      'A request that failed',
    ]);
  });

  it.for(BLOCKS.map(({ heading }, i) => [heading, i] as const))('has tests that pass: %s', async ([heading, i], { skip }) => {
    skip(heading === 'In a browser' && !hasChromium);
    const program = startCommand(process.execPath, ['--test', '--test-reporter=tap', fileOf(i)], { CHROMIUM });
    expect([await program.ended, program.stdout]).toEqual([0, expect.stringMatching(/^# pass [1-9]/m)]);
  });
});

function fileOf(index: number): string {
  return join(WORK, `${index}.test.mjs`);
}
