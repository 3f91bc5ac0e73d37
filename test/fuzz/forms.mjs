/**
 * Seeded random multipart forms: valid ones, and valid ones with something wrong. And a feed for the parser, whose invariant is that of the
 * reading machine: for any bytes parts or an HttpError, nothing else, and the same however the bytes are cut.
 */

const pick = (random, list) => list[Math.floor(random() * list.length)];
const DELIMITERS = ['--b\r\n', '--b\r\n', '--b\r\n', '--b \t\r\n', '--b\n', '--bx\r\n', '--b--\r\n', '--b-\r\n', '-b\r\n', '\r\n--b\r\n'];
const HEADS = [
  'Content-Disposition: form-data; name="a"\r\n',
  'Content-Disposition: form-data; name="a"\r\n',
  'content-disposition:form-data;name=a;filename=b\r\nContent-Type: image/png\r\n',
  'Content-Disposition: form-data; name="\xc3\xa9"; filename="x\\"y"; filename*=utf-8\'\'%C3%A9\r\n',
  'Content-Disposition: form-data; name="a";\r\nX: y\r\n',
  'Content-Disposition: form-data; name = "a"\r\n',
  'Content-Disposition: form-data;\r\n name="a"\r\n',
  'Content-Disposition: form-data; name="a"b"\r\n',
  'Content-Disposition: form-data; name="\xff"\r\n',
  'Content-Disposition: attachment; name="a"\r\n',
  'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=x\r\n',
  'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n',
  `X: ${'x'.repeat(20_000)}\r\n`,
  'no colon\r\n',
  '',
];
const CONTENTS = ['', 'text', 'a\r\nb', '\r\n', '\r', '\r\n-', '\r\n--', '\r\n--c', '--', '\r\n\r\n', '\r\n--\r\n--', 'x'.repeat(300)];
const CLOSINGS = [
  '\r\n--b--\r\n',
  '\r\n--b--\r\n',
  '\r\n--b--',
  '\r\n--b-- \t\r\nepilogue',
  '\r\n--b--\r\r\n',
  '\r\n--b--x',
  '\r\n--b',
  '\r\n',
  '',
];
const JUNK = ['\0', '\r', '\n', '\r\n', ' ', '-', '"', ';', ':', '\\', '\xff'];

/** A form with the boundary `b`, one character a byte. */
export function formOf(random) {
  let text = random() < 0.1 ? 'preamble\r\n' : '';
  const count = Math.floor(random() * 4);
  for (let i = 0; i < count; i++) {
    const isGood = random() < 0.7;
    text += (i > 0 ? '\r\n' : '') + (isGood ? '--b\r\n' : pick(random, DELIMITERS));
    text += isGood ? pick(random, HEADS.slice(0, 4)) : pick(random, HEADS);
    text += (random() < 0.9 ? '\r\n' : '') + (random() < 0.5 ? pick(random, CONTENTS) : '');
  }
  text += random() < 0.6 ? (count > 0 ? '\r\n--b--\r\n' : '--b--\r\n') : pick(random, CLOSINGS);
  if (random() > 0.3) return text;
  const at = Math.floor(random() * text.length);
  return text.slice(0, at) + pick(random, JUNK) + text.slice(at + Math.floor(random() * 2));
}

/** @param modules `{ MultipartParser, parsePartHead, HttpError }` of whatever build is under test. */
export function createFormFeed({ MultipartParser, parsePartHead, HttpError }) {
  return function feed(pieces) {
    const parts = [];
    let coming;
    const sink = {
      begin(head) {
        if (coming) throw new Error('A part came inside another');
        coming = { ...parsePartHead(head), content: '' };
      },
      data(bytes) {
        if (bytes.length === 0) throw new Error('Data came that holds nothing');
        coming.content += bytes.toString('latin1');
      },
      end() {
        parts.push(coming);
        coming = undefined;
      },
    };
    const parser = new MultipartParser('b', sink);
    let error;
    try {
      for (const piece of pieces) parser.write(Buffer.from(piece, 'latin1'));
      parser.end();
    } catch (thrown) {
      if (!(thrown instanceof HttpError)) throw thrown;
      error = `${thrown.status} ${thrown.code}: ${thrown.message}`;
    }
    return { parts, error };
  };
}
