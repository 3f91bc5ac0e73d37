import { describe, expect, it } from 'vitest';
import { chunkedOf, cutsOf, randomOf, streamOf } from '../fuzz/corpus.mjs';
import { checkInvariant } from '../fuzz/feed.mjs';
import { feed, type Transcript } from './feed.ts';

/** The seed of a day finds what the seed of another does not; a failure prints the input itself. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));

describe(`the reading machine under random bytes (seed ${SEED}; npm run fuzz for a million)`, { timeout: 60_000 }, () => {
  it.each([
    ['30,000 streams of requests', 30_000, streamOf],
    ['60,000 chunked bodies', 60_000, chunkedOf],
  ])('reads %s as events or a ProtocolError, and the same however they are cut', (_what, count, make) => {
    const random = randomOf(SEED);
    const verdicts = new Set<string>();
    for (let i = 0; i < count; i++) {
      const text = make(random);
      const { error } = checkInvariant(feed, text, cutsOf(text.length, random)) as Transcript;
      verdicts.add(error?.slice(0, 3) ?? 'served');
    }
    expect(verdicts).toContain('served');
    expect(verdicts).toContain('400');
  });
});
