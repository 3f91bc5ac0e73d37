import { describe, expect, it } from 'vitest';
import { Session } from '../../src/h2/session.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { randomOf } from '../fuzz/corpus.mjs';
import { connectionOf, cutsOf } from '../fuzz/http2-corpus.mjs';
import { checkHttp2Invariant, createHttp2Feed } from '../fuzz/http2-feed.mjs';

/** The seed of a day finds what the seed of another does not; a failure prints the input itself. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));

/** What became of a connection: see http2-feed.mjs. */
interface Transcript {
  readonly events: readonly object[];
  readonly error: number | undefined;
}

describe(`the machine under random connections (seed ${SEED}; npm run fuzz for more)`, { timeout: 60_000 }, () => {
  it('gives events, or an error of a stream or of the connection, the same however they are cut', () => {
    const feed = createHttp2Feed({ Session, HeaderList, DEFAULT_LIMITS });
    const random = randomOf(SEED);
    const verdicts = new Set<string>();
    for (let i = 0; i < 6000; i++) {
      const bytes = connectionOf(random);
      const { events, error } = checkHttp2Invariant(feed, bytes, cutsOf(bytes.length, random), random) as Transcript;
      verdicts.add(`connection ${error ?? 'goes on'}`);
      for (const event of events) verdicts.add(Object.keys(event)[1] as string);
    }
    expect([...verdicts].toSorted()).toEqual(
      expect.arrayContaining(['connection 1', 'connection 9', 'connection goes on', 'data', 'head', 'isEnd', 'refused', 'reset']),
    );
  });
});
