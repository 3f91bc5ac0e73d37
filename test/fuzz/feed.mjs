/**
 * Feeds the reading machine as sockets do: through one buffer that is overwritten after each read, in pieces of any size. The machine has one
 * invariant: for any bytes events or a ProtocolError, nothing else, in bounded time, and the same however the bytes are cut.
 */

/** What lies in the read buffer behind, and after, what was read: line feeds, so that a look beyond the end would find some. */
const STALE = 0x0a;

/**
 * Returns the function that reads pieces, one character a byte, pulls every event after each, and returns the transcript. See test/h1/feed.ts for
 * its type.
 *
 * @param machine `{ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS }` of whatever build is under test.
 */
export function createFeed({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS }) {
  const shared = Buffer.alloc(64 * 1024, STALE);

  return function feed(pieces, limits = DEFAULT_LIMITS) {
    const reader = new RequestReader(limits);
    const requests = [];
    let error;
    for (const piece of pieces) {
      const length = shared.write(piece, 'latin1');
      if (length !== piece.length) throw new Error('A piece is larger than the read buffer');
      reader.push(shared, length);
      try {
        pull(reader, requests, 2 * length);
      } catch (thrown) {
        if (!(thrown instanceof ProtocolError) || error !== undefined) throw thrown;
        error = `${thrown.status} ${thrown.code}`;
      }
      reader.keep();
      shared.fill(STALE, 0, length);
    }
    return { requests, error, isMidway: reader.isMidway, isClosed: reader.isClosed };
  };

  /** @param most How many events a piece may cause: each takes a byte at least, but for the end of a request. */
  function pull(reader, requests, most) {
    let count = 0;
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (++count > most) throw new Error('The machine does not come to an end');
      const last = requests.at(-1);
      if (event instanceof HeadEvent) {
        if (last && !last.isComplete) throw new Error('A head came inside a request');
        requests.push(requestOf(event));
      } else if (!last || last.isComplete) throw new Error('Data or an end came outside of a request');
      else if (event === END) last.isComplete = true;
      else {
        if (event.length === 0) throw new Error('Data came that holds nothing');
        last.body += event.toString('latin1');
      }
    }
  }
}

function requestOf(head) {
  return {
    line: `${head.method} ${head.target} ${head.httpVersion}`,
    fields: head.lines.pairs(),
    length: head.length,
    isPersistent: head.isPersistent,
    expectsContinue: head.expectsContinue,
    upgrade: head.upgrade,
    body: '',
    isComplete: false,
  };
}

/** The pieces of a text that is cut at these places. */
export function piecesOf(text, cuts) {
  const ends = [...cuts, text.length];
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
}

/** Throws when a text is read differently when it is cut, and otherwise returns its transcript. */
export function checkInvariant(feed, text, cuts) {
  const whole = feed([text]);
  const cut = feed(piecesOf(text, cuts));
  const [asWhole, asCut] = [JSON.stringify(whole), JSON.stringify(cut)];
  if (asCut === asWhole) return whole;
  throw new Error(`Cut at ${cuts.join(' ')}, ${JSON.stringify(text)}\nis read as ${asCut}\nand whole as ${asWhole}`);
}
