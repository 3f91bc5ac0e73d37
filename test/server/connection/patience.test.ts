import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANSWERING, DRAIN_GRACE, graceOf, IDLE, Patience, READING_BODY, READING_HEAD } from '../../../src/server/connection/patience.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { Service } from '../../../src/server/service.ts';

const HEADERS = 1000;
/** A body must bring 1 KiB for each second of this: 2048 bytes in each span. */
const REQUEST = 2000;
const SPAN_BYTES = 2048;
const KEEP_ALIVE = 5000;
const HOUR = 3_600_000;

describe('the patience with a connection', () => {
  let service: Service;
  let patience: Patience;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval', 'Date'] });
    const options = resolveOptions({ headersTimeout: HEADERS, requestTimeout: REQUEST, keepAliveTimeout: KEEP_ALIVE });
    service = new Service(() => undefined as never, options);
    patience = new Patience(service);
  });

  afterEach(() => {
    service.clock.stop();
    vi.useRealTimers();
  });

  /** Lets time pass, and asks. */
  function isOverAfter(ms: number, received = 0, isOurs = false): boolean {
    vi.advanceTimersByTime(ms);
    return patience.isDue(performance.now(), received, isOurs);
  }

  describe('while a head comes', () => {
    it('lasts for headersTimeout from the connection on', () => {
      expect(patience.phase).toBe(READING_HEAD);
      expect(isOverAfter(HEADERS - 1)).toBe(false);
      expect(isOverAfter(1)).toBe(true);
    });

    it('is not prolonged by a head that trickles in', () => {
      vi.advanceTimersByTime(HEADERS - 1);
      patience.watch(READING_HEAD);
      expect(isOverAfter(1)).toBe(true);
    });

    it('is not prolonged by bytes of body, whoever does not read', () => {
      expect(isOverAfter(HEADERS, 1e6, true)).toBe(true);
    });

    it('begins with the first byte of the next one', () => {
      patience.watch(IDLE);
      vi.advanceTimersByTime(KEEP_ALIVE - 1);
      patience.watch(READING_HEAD);
      expect(isOverAfter(HEADERS - 1)).toBe(false);
      expect(isOverAfter(1)).toBe(true);
    });
  });

  describe('while a handler is at work', () => {
    it('never ends', () => {
      patience.startRequest();
      expect(patience.phase).toBe(ANSWERING);
      expect(isOverAfter(HOUR)).toBe(false);
    });

    it('never ends behind a body either', () => {
      patience.watch(READING_BODY);
      patience.watch(ANSWERING);
      expect(isOverAfter(HOUR)).toBe(false);
    });
  });

  describe('while a body comes', () => {
    beforeEach(() => {
      patience.startRequest();
      patience.watch(READING_BODY);
    });

    it('ends with the first span that brings too little', () => {
      expect(isOverAfter(REQUEST - 1)).toBe(false);
      expect(isOverAfter(1, SPAN_BYTES - 1)).toBe(true);
    });

    it('goes on for as long as each span brings enough', () => {
      for (let span = 1; span <= 1000; span++) {
        if (isOverAfter(REQUEST, span * SPAN_BYTES)) expect.fail(`over in span ${span}`);
      }
      expect(isOverAfter(REQUEST, 1001 * SPAN_BYTES - 1)).toBe(true);
    });

    it('counts nothing for later: much in one span does not stand for the next', () => {
      expect(isOverAfter(REQUEST, 100 * SPAN_BYTES)).toBe(false);
      expect(isOverAfter(REQUEST, 101 * SPAN_BYTES - 1)).toBe(true);
    });

    it('does not blame the client for a span in which we did not read', () => {
      expect(isOverAfter(REQUEST, 0, true)).toBe(false);
      expect(isOverAfter(REQUEST, SPAN_BYTES - 1, false)).toBe(true);
    });

    it('counts the next body from its own beginning', () => {
      expect(isOverAfter(REQUEST, 100 * SPAN_BYTES)).toBe(false);
      patience.startRequest();
      patience.watch(READING_BODY);
      expect(isOverAfter(REQUEST, SPAN_BYTES)).toBe(false);
    });
  });

  describe('with a connection at rest', () => {
    it('lasts for keepAliveTimeout, to the precision of the clock', () => {
      patience.watch(IDLE);
      expect(isOverAfter(service.clock.now + KEEP_ALIVE - performance.now() - 1)).toBe(false);
      expect(isOverAfter(1)).toBe(true);
    });

    it('begins anew with each rest', () => {
      patience.watch(IDLE);
      vi.advanceTimersByTime(KEEP_ALIVE - 500);
      patience.watch(IDLE);
      expect(isOverAfter(KEEP_ALIVE - 500)).toBe(false);
      expect(isOverAfter(500)).toBe(true);
    });
  });

  describe('when the server drains', () => {
    it.each([
      ['short', false, 10_000, DRAIN_GRACE],
      ['longer when a successor serves', true, 10_000, 2000],
      ['half of the time there is', true, 3000, 1500],
      ['never shorter for it', true, 100, DRAIN_GRACE],
    ])('is %s with a connection at rest', (_how, isSucceeded, timeout, grace) => {
      service.drainGrace = graceOf(timeout, isSucceeded);
      patience.watch(IDLE);
      patience.shorten();
      expect(isOverAfter(grace - 1)).toBe(false);
      expect(isOverAfter(1)).toBe(true);
    });

    it('begins anew with each rest', () => {
      service.isDraining = true;
      service.drainGrace = graceOf(10_000, true);
      patience.watch(IDLE);
      expect(isOverAfter(1999)).toBe(false);
      service.clock.now = performance.now();
      patience.watch(IDLE);
      expect(isOverAfter(1999)).toBe(false);
      expect(isOverAfter(1)).toBe(true);
    });

    it('is never prolonged by that', () => {
      service.drainGrace = DRAIN_GRACE;
      vi.advanceTimersByTime(HEADERS - 1);
      patience.shorten();
      expect(isOverAfter(1)).toBe(true);
    });
  });
});
