/**
 * Why filrouge and node:http may differ: each kind is known by both verdicts and by the bytes of the first request that differs.
 * docs/http-support.md explains them.
 */
import { METHODS } from 'node:http';
import { parseTarget } from '../../.build/modules/http/target.js';

const HOST = /^(?:\[[0-9a-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9a-f]{2})*)(?::\d*)?$/i;

/** Our verdict, node's verdict (`served`, its error, or `nothing`), what the kind is called, and what must stand in the bytes. */
const KINDS = [
  [
    '505 bad-version',
    'served',
    'we answer 505 to other versions; node serves HTTP/2.0 and 0.9 in this syntax',
    ({ line }) => /^\S+ \S+ HTTP\/[^1]\.\d$/.test(line),
  ],
  [
    '400 bad-host',
    'served',
    'we refuse several Hosts and malformed ones; node serves them',
    ({ hosts }) => hosts.length > 1 || hosts.some((host) => !HOST.test(host)),
  ],
  [
    '400 bad-host',
    'served',
    'we close behind a request without Host; node refuses it and serves the next one',
    ({ hosts }) => hosts.length === 0,
  ],
  [
    '400 bad-target',
    'served',
    'we refuse `*` with another method than OPTIONS; node serves it',
    ({ line }) => /^(?!OPTIONS )\S+ \* /.test(line),
  ],
  [
    '400 bad-target',
    'served',
    'we refuse a target that is neither a path nor an http URL; node serves it',
    ({ target }) => !/^(?:\/|https?:|\*$)/i.test(target),
  ],
  [
    '400 bad-target',
    'served',
    'we refuse an absolute target with an empty or malformed host; node serves it',
    ({ target }) => /^https?:/i.test(target),
  ],
  [
    '400 bad-target',
    'served',
    'we refuse a path with a broken escape, broken UTF-8, NUL or a backslash; node serves it',
    ({ target }) => target.startsWith('/') && !parseTarget(target),
  ],
  ['405 method-not-implemented', 'served', 'we answer 405 to TRACE; node calls the handler', ({ line }) => line.startsWith('TRACE ')],
  ['431 header-too-large', 'served', 'we refuse more than 100 fields; node takes 2,000', ({ fields }) => fields.length > 100],
  [
    '431 header-too-large',
    'served',
    'we bound all fields by 16 KiB and the request line by 8 KiB; node both together by 16 KiB',
    ({ head }) => head.length > 16_384,
  ],
  [
    '414 target-too-long',
    'served',
    'we bound all fields by 16 KiB and the request line by 8 KiB; node both together by 16 KiB',
    ({ line }) => line.length > 8192,
  ],
  [
    'served',
    'HPE_HEADER_OVERFLOW',
    'we bound all fields by 16 KiB and the request line by 8 KiB; node both together by 16 KiB',
    ({ head }) => head.length > 16_000,
  ],
  [
    '400 bad-request-line',
    'served',
    'we refuse a request line without a version; node serves it as HTTP/0.9',
    ({ line }) => /^\S+ +\S+(?:\n|$)/.test(line),
  ],
  [
    '400 bad-request-line',
    'served',
    'we skip whole empty lines before a request; node skips a bare CR or LF as well',
    ({ rest }) => /^[\r\n]*(?:\r(?!\n)|(?<!\r)\n)/.test(rest),
  ],
  [
    '400 bad-request-line',
    'served',
    'we refuse several spaces in a request line; node serves it',
    ({ line }) => /^\S+ +\S+ +HTTP\/\d\.\d$/.test(line) && line.includes('  '),
  ],
  [
    '400 bad-transfer-coding',
    'served',
    'we refuse Transfer-Encoding in HTTP/1.0; node serves it',
    ({ line, codings }) => line.endsWith(' HTTP/1.0') && codings.length > 0,
  ],
  [
    '400 bad-transfer-coding',
    'served',
    'we refuse an empty Transfer-Encoding; node takes it for none',
    ({ codings }) => codings.join('') === '',
  ],
  [
    '400 bad-transfer-coding',
    'served',
    'we refuse transfer codings; node hands the coded body on',
    ({ codings }) => /chunked$/i.test(codings.join(',')),
  ],
  [
    '501 unknown-transfer-coding',
    'served',
    'we refuse transfer codings; node hands the coded body on',
    ({ codings }) => codings.some((coding) => /[^,\s]/.test(coding.replace(/chunked/gi, ''))),
  ],
  [
    '417 bad-expectation',
    'served',
    'we answer 417 to any list of expectations; node looks for 100-continue in it',
    ({ expects }) => expects.length > 1 || /,/.test(expects[0] ?? ''),
  ],
  [
    '417 bad-expectation',
    'served',
    'we close behind an unknown expectation; node refuses it and serves the next request',
    ({ expects }) => expects.length === 1,
  ],
  [
    'served',
    'HPE_INVALID_VERSION',
    'we serve HTTP/1.2 to 1.9 as 1.1 (RFC 9110 §2.5); node refuses them',
    ({ line }) => / HTTP\/1\.[2-9]$/.test(line),
  ],
  [
    'served',
    'HPE_INVALID_METHOD',
    'we hand methods that node does not know to the handler; node refuses them',
    ({ line }) => !METHODS.includes(line.split(' ', 1)[0]),
  ],
  [
    'served',
    'HPE_STRICT',
    'we take whitespace around the parts of a chunk extension (RFC 9112 §7.1.1); node refuses it',
    ({ rest }) => /\n[0-9a-f]+[ \t]*;[^\n]*[ \t]/i.test(rest),
  ],
  [
    '400 bad-chunk',
    'served',
    'we refuse a chunk extension without a name; node serves it',
    ({ rest }) => /\n[0-9a-f]+[ \t]*;[^\n]*(?:;|=)/i.test(rest),
  ],
  [
    'served',
    'HPE_INVALID_CHUNK_SIZE',
    'we take whitespace around the parts of a chunk extension (RFC 9112 §7.1.1); node refuses it',
    ({ rest }) => /\n[0-9a-f]+[ \t]+;/i.test(rest),
  ],
  [
    'served',
    'HPE_INVALID_CONTENT_LENGTH',
    'we take tabs around a length or a coding for whitespace; node refuses them',
    ({ head }) => /content-length:.*\t/i.test(head),
  ],
  [
    'served',
    'HPE_INVALID_TRANSFER_ENCODING',
    'we take tabs around a length or a coding for whitespace; node refuses them',
    ({ head }) => /transfer-encoding:.*\t/i.test(head),
  ],
  [
    'closed',
    'served',
    'we close when both keep-alive and close are asked for; node goes on',
    ({ before }) => /^connection:.*keep-alive/im.test(before) && /^connection:.*close/im.test(before),
  ],
  ['served', 'nothing', 'node serves nothing behind a request that offers Upgrade; we do', ({ before }) => /\nupgrade:/i.test(before)],
];

/**
 * @param difference `before` and `rest`: the bytes up to and from the first request that differs; `ours` and `node`: the whole request that was
 * read there, or the error.
 * @returns The name of the kind, or `UNEXPLAINED` with both verdicts.
 */
export function kindOf({ before, rest, ours, node }) {
  const our = ours.request ? 'served' : ours.error;
  const their = node.request ? 'served' : (node.error ?? 'nothing');
  const start = rest.replace(/^(?:\r\n)+/, '');
  const head = start.split('\r\n\r\n', 1)[0];
  const [line, ...fields] = head.split('\r\n');
  const all = (name) =>
    fields.filter((field) => field.toLowerCase().startsWith(`${name}:`)).map((field) => field.slice(name.length + 1).trim());
  const seen = {
    before,
    rest,
    head,
    line,
    fields,
    target: line.split(' ')[1] ?? '',
    hosts: all('host'),
    codings: all('transfer-encoding'),
    expects: all('expect'),
  };
  const kind = KINDS.find(([a, b, , fits]) => a === our && b === their && fits(seen));
  return kind?.[2] ?? `UNEXPLAINED: ours ${our}, node ${their}`;
}

/** The names of all kinds. */
export function kindNames() {
  return KINDS.map(([, , name]) => String(name));
}
