/**
 * Feeds the machine of HTTP/2 as sockets do: through one buffer that is overwritten after each read. It has one invariant: for any bytes events, or
 * an error of a stream or of the connection; nothing else, in bounded memory, the same however the bytes are cut, and what it sends is in order.
 */

/** What lies in the read buffer behind, and after, what was read. */
const STALE = 0xee;
const MAX_STREAMS = 100;
/** What the machine may have to send for each byte that it reads, and for a connection: answers are small. */
const MAX_OUTPUT_PER_BYTE = 40;
const MAX_OUTPUT = 20_000;
const DATE = 'Sat, 28 Nov 2026 12:00:00 GMT';
const FRAME_HEAD = 9;
const MAX_PAYLOAD = 16_384;
const [DATA, HEADERS, RST_STREAM, GOAWAY, CONTINUATION] = [0, 1, 3, 7, 9];

/**
 * Returns the function that reads pieces and returns the transcript.
 *
 * @param machine `{ Session, HeaderList, DEFAULT_LIMITS }` of whatever build is under test.
 */
export function createHttp2Feed({ Session, HeaderList, DEFAULT_LIMITS }) {
  const shared = Buffer.alloc(64 * 1024, STALE);

  /** @param take Called after each piece with the session: takes what is to be sent, or does not. */
  return function feed(pieces, take = () => {}) {
    const owner = new Owner();
    const session = new Session(owner, { ...DEFAULT_LIMITS, maxConcurrentStreams: MAX_STREAMS });
    owner.start(session, HeaderList.EMPTY.wire);
    let read = 0;
    for (const piece of pieces) {
      piece.copy(shared);
      read += piece.length;
      session.receive(shared, piece.length, 1000);
      shared.fill(STALE, 0, piece.length);
      if (session.pending > MAX_OUTPUT + MAX_OUTPUT_PER_BYTE * read) throw new Error(`${session.pending} bytes are to be sent for ${read}`);
      if (session.count > MAX_STREAMS) throw new Error(`${session.count} streams are open`);
      take(session);
    }
    for (const stream of session.streams) if (stream.receiveWindow < 0) throw new Error(`The window of stream ${stream.id} is negative`);
    return { events: owner.events, error: session.error?.code, isMidway: session.isMidway };
  };

  /** Notes what it is told, checks its order, and answers each request once it is whole. */
  function Owner() {
    const states = new Map();
    let session;
    let fields;
    let highest = 0;
    const note = (event) => this.events.push(event);
    this.events = [];
    this.mayGoOn = true;
    this.start = (its, wire) => {
      session = its;
      fields = wire;
    };

    this.onHead = (stream, head, isEnded) => {
      begin(stream);
      note({ id: stream.id, head: `${head.method} ${head.target}`, fields: head.lines.pairs(), length: head.length, isEnded });
      if (isEnded) end(stream);
    };
    this.onRefused = (stream, _known, error) => {
      begin(stream);
      note({ id: stream.id, refused: `${error.status} ${error.code}` });
      answer(stream);
    };
    this.onData = (stream, data) => {
      const state = open(stream);
      if (data.length === 0) throw new Error('Data came that holds nothing');
      state.received += data.length;
      note({ id: stream.id, data: data.toString('latin1') });
      session.consumed(stream, data.length);
    };
    this.onEnd = (stream) => {
      open(stream);
      note({ id: stream.id, isEnd: true });
      end(stream);
    };
    this.onReset = (stream, code) => {
      if (states.get(stream.id)?.isOver !== false) throw new Error(`Stream ${stream.id} is reset, and was not open`);
      states.get(stream.id).isOver = true;
      note({ id: stream.id, reset: code });
      session.release(stream);
    };
    this.onRoom = () => {};

    function begin({ id }) {
      if (id <= highest || id % 2 === 0) throw new Error(`Stream ${id} begins behind ${highest}`);
      highest = id;
      states.set(id, { received: 0, isEnded: false, isAnswered: false, isOver: false });
    }

    function open({ id }) {
      const state = states.get(id);
      if (!state || state.isEnded || state.isOver) throw new Error(`Something came on stream ${id}, which is not open`);
      return state;
    }

    function end(stream) {
      const state = open(stream);
      state.isEnded = true;
      if (stream.left > 0 && stream.left !== Number.POSITIVE_INFINITY) throw new Error(`Stream ${stream.id} ended before its length`);
      answer(stream);
    }

    function answer(stream) {
      const state = states.get(stream.id);
      if (state.isAnswered) return; // it was refused
      state.isAnswered = true;
      session.respond(stream, 200, fields, DATE, 5, false);
      session.writeText(stream, 'hello', 5);
      session.release(stream);
    }
  }
}

/** Checks what a session sends: frames of the right size, each stream in its order, GOAWAY last. @throws Error. */
export function createOutputCheck() {
  const ended = new Set();
  const begun = new Set();
  let rest = Buffer.alloc(0);
  let isOver = false;
  return function check(bytes) {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      if (rest.length < FRAME_HEAD) break;
      const size = rest.readUIntBE(0, 3);
      if (size > MAX_PAYLOAD) throw new Error(`A frame of ${size} bytes is sent`);
      if (rest.length < FRAME_HEAD + size) break;
      const [type, flags, id] = [rest[3], rest[4], rest.readUInt32BE(5)];
      if (isOver) throw new Error(`Type ${type} is sent behind an error`);
      if (type === GOAWAY && rest.readUInt32BE(FRAME_HEAD + 4) !== 0) isOver = true;
      if (type === HEADERS) begun.add(id);
      if (type === DATA && !begun.has(id)) throw new Error(`DATA is sent on stream ${id} without a head`);
      const isOfMessage = type === HEADERS || type === DATA || type === CONTINUATION;
      if (isOfMessage && ended.has(id)) throw new Error(`Type ${type} is sent on stream ${id}, which ended`);
      if (type === RST_STREAM || ((type === HEADERS || type === DATA) && (flags & 1) !== 0)) ended.add(id);
      rest = rest.subarray(FRAME_HEAD + size);
    }
  };
}

/** The pieces of some bytes that are cut at these places. */
export function piecesOf(bytes, cuts) {
  const ends = [...cuts, bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** Throws when bytes are read differently when they are cut, or what is sent for them is out of order; otherwise returns their transcript. */
export function checkHttp2Invariant(feed, bytes, cuts, random) {
  const whole = feed([bytes]);
  const cut = feed(piecesOf(bytes, cuts));
  const [asWhole, asCut] = [JSON.stringify(whole), JSON.stringify(cut)];
  if (asCut !== asWhole) {
    throw new Error(`Cut at ${cuts.join(' ')}, ${bytes.toString('hex')}\nis read as ${asCut}\nand whole as ${asWhole}`);
  }
  const check = createOutputCheck();
  feed(piecesOf(bytes, cuts), (session) => {
    if (random() < 0.7) check(session.take(random() < 0.5 ? 100 : 100_000));
  });
  return whole;
}
