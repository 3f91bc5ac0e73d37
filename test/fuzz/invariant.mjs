/**
 * The one invariant of the reading machine: for any bytes, events or a ProtocolError, nothing else, in bounded time, and the same however the bytes are cut.
 *
 * @param machine `{ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS }` of whatever build is under test.
 */
export function createTranscriber({ RequestReader, HeadEvent, END, ProtocolError, DEFAULT_LIMITS }) {
  return function transcribe(bytes, cuts) {
    const reader = new RequestReader(DEFAULT_LIMITS);
    let text = '';
    let body = '';
    let start = 0;
    let steps = 0;
    try {
      for (const end of [...cuts, bytes.length]) {
        const piece = Buffer.from(bytes.subarray(start, end));
        start = end;
        reader.push(piece);
        for (let event = reader.next(); event !== undefined; event = reader.next()) {
          if (++steps > 10_000) throw new Error('The machine does not come to an end');
          if (event === END) {
            text += `end(${body})`;
            body = '';
          } else if (event instanceof HeadEvent) {
            text += `head(${event.method} ${event.target} ${event.httpVersion} ${event.length} ${event.isPersistent} ${event.expectsContinue} ${event.upgrade} ${JSON.stringify(event.lines.pairs())})`;
          } else body += event.toString('latin1');
        }
        reader.keep();
        piece.fill(0x2a);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return `${text}data(${body})error(${error.status} ${error.code})`;
    }
    return `${text}data(${body})${reader.isMidway ? 'midway' : ''}${reader.isClosed ? 'closed' : ''}`;
  };
}

/** Throws when two ways of cutting the same bytes are read differently. */
export function checkInvariant(transcribe, text, cutLists) {
  const bytes = Buffer.from(text, 'latin1');
  const whole = transcribe(bytes, []);
  for (const cuts of cutLists) {
    const cut = transcribe(bytes, cuts);
    if (cut !== whole) throw new Error(`Cut at ${cuts.join(' ')}, ${JSON.stringify(text)}\nis read as ${cut}\nand whole as ${whole}`);
  }
  return whole;
}
