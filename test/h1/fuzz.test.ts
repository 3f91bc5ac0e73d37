import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/h1/limits.ts';
import { END, HeadEvent, RequestReader } from '../../src/h1/request-reader.ts';
import { ProtocolError } from '../../src/http/protocol-error.ts';
import { chunkedOf, cutsOf, randomOf, streamOf } from '../fuzz/corpus.mjs';
import { checkInvariant, createTranscriber } from '../fuzz/invariant.mjs';

/** The seed of a day finds what the seed of another does not; a failure prints the input itself. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const SPAN = 10_000;

describe(`the reading machine under random bytes (seed ${SEED})`, () => {
  const transcribe = createTranscriber({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS });

  it.each([
    ['requests', streamOf],
    ['chunked bodies', chunkedOf],
  ])(
    'reads %s as events or a ProtocolError, and the same however they are cut',
    (_what, make) => {
      const random = randomOf(SEED);
      const verdicts = new Set<string>();
      const end = performance.now() + SPAN;
      let count = 0;
      while (performance.now() < end) {
        const text = make(random);
        const whole = checkInvariant(transcribe, text, [cutsOf(text.length, random)]) as string;
        verdicts.add(/error\(\d+/.exec(whole)?.[0] ?? 'served');
        count++;
      }
      expect(count).toBeGreaterThan(10_000);
      expect(verdicts).toContain('served');
      expect(verdicts).toContain('error(400');
    },
    SPAN * 3,
  );
});
