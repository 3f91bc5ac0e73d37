/** Runs the reading machine over bytes, cut in any way, and writes down what it says. */

import { DEFAULT_LIMITS, type HeadLimits } from '../../src/h1/limits.ts';
import { END, HeadEvent, RequestReader } from '../../src/h1/request-reader.ts';
import { ProtocolError } from '../../src/http/protocol-error.ts';

/** Everything the machine said, data joined: one line for each request, and the error if there was one. */
export function transcript(bytes: Buffer, cuts: readonly number[] = [], limits: HeadLimits = DEFAULT_LIMITS): string[] {
  const reader = new RequestReader(limits);
  const lines: string[] = [];
  let body = '';
  let start = 0;
  try {
    for (const end of [...cuts, bytes.length]) {
      // A copy that is wiped afterwards: nothing may be kept of a buffer that is used again.
      const piece = Buffer.from(bytes.subarray(start, end));
      start = end;
      reader.push(piece);
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event === END) {
          lines.push(`end ${body}`);
          body = '';
        } else if (event instanceof HeadEvent) {
          const { method, target, httpVersion, length, isPersistent, expectsContinue, upgrade } = event;
          lines.push(
            JSON.stringify([method, target, httpVersion, length, isPersistent, expectsContinue, upgrade ?? null, event.lines.pairs()]),
          );
        } else body += event.toString('latin1');
      }
      reader.keep();
      piece.fill(0x2a);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    lines.push(`error ${error.status} ${error.code}`);
    return lines;
  }
  if (body !== '') lines.push(`data ${body}`);
  if (reader.isMidway) lines.push('midway');
  return lines;
}

/** The transcript, after making sure that it is the same whole, byte by byte, and cut at every single place. */
export function read(text: string, limits?: HeadLimits): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const whole = transcript(bytes, [], limits);
  const all = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => i + 1);
  const differing = [all, ...all.map((cut) => [cut])].find(
    (cuts) => JSON.stringify(transcript(bytes, cuts, limits)) !== JSON.stringify(whole),
  );
  if (differing) {
    throw new Error(
      `Cut at ${differing.join(' ')} this is read as ${transcript(bytes, differing, limits).join(' | ')} and not as ${whole.join(' | ')}`,
    );
  }
  return whole;
}
