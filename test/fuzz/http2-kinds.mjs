/** Why filrouge and node:http2 may differ: each kind is known by both verdicts and by the request. docs/http-support.md explains them. */
import { parseTarget } from '../../.build/modules/http/target.js';

const HOST = /^(?:\[[0-9a-f:.]+\]|(?:[\w\-.~!$&'()*+,;=]|%[0-9a-f]{2})+)(?::\d*)?$/i;
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Fields of a connection (RFC 9113 §8.2.2). */
const OF_THE_CONNECTION = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
const MALFORMED = 'reset 1';

/** Our verdict, node's verdict, what the kind is called, and what must be true of the request. */
const KINDS = [
  [
    MALFORMED,
    'served',
    'we reset a request with a field that no message can have (RFC 9113 §8.2.1); node leaves the field out and serves the rest',
    ({ fields, trailers = [] }) => [...fields, ...trailers].some(isNoField),
  ],
  [
    MALFORMED,
    'served',
    'we reset a request whose :path is no path; node serves it when its scheme is neither http nor https',
    ({ method, scheme, path }) => !/^https?$/.test(scheme) && !path?.startsWith('/') && !(path === '*' && method === 'OPTIONS'),
  ],
  ['400', 'served', 'we refuse other schemes than http and https; node serves them', ({ scheme }) => !/^https?$/.test(scheme)],
  [
    '400',
    'served',
    'we refuse a path with a broken escape, a space or what is not ASCII; node serves it',
    ({ path }) => !/^[\x21-\x7e]+$/.test(path) || !parseTarget(path),
  ],
  [
    '400',
    'served',
    'we refuse a malformed host, none, several, and a Host that is not :authority; node serves them',
    ({ hosts }) => hosts.length === 0 || hosts.some((host) => !HOST.test(host)) || new Set(hosts).size > 1,
  ],
  ['405', 'served', 'we answer 405 to TRACE; node calls the handler', ({ method }) => method === 'TRACE'],
  ['417', 'served', 'we answer 417 to expectations that nobody knows; node calls the handler', ({ expect }) => /[^-\w]|x/.test(expect)],
  [
    /^(?:204|4\d\d|501)$/,
    MALFORMED,
    'we answer what node resets: it has a fault of each kind, and we look at that which has an answer first',
    ({ scheme, hosts, lengths, body = '', trailers = [], method, path, fields }) =>
      scheme === '' ||
      hosts.length === 0 ||
      hosts.some((host) => !HOST.test(host)) ||
      hosts.length > 1 ||
      lengths.some((length) => length !== String(body.length)) ||
      lengths.length > 1 ||
      trailers.some(isNoField) ||
      trailers.some(([name]) => ['content-length', 'host'].includes(name) || name.startsWith(':')) ||
      fields.some(isNoField) ||
      !/^[\x21-\x7e]+$/.test(path) ||
      method === 'CONNECT',
  ],
  [
    'served',
    /^(?:reset|connection) 1$/,
    'we drop trailers whatever they are called; node resets a stream whose trailers hold Content-Length or Host',
    ({ trailers = [] }) => trailers.some(([name]) => name === 'content-length' || name === 'host'),
  ],
  [
    'served',
    /^(?:reset|connection) 1$/,
    'we take an extended CONNECT (RFC 8441); node does so only when it is told to',
    ({ streams }) => streams.some(({ fields }) => fields.some(([name]) => name === ':protocol')),
  ],
  ['204', 'served', 'we answer OPTIONS * ourselves; node calls the handler', ({ method, path }) => method === 'OPTIONS' && path === '*'],
  [
    'served',
    'connection 2',
    'node 22 and later end the connection with INTERNAL_ERROR when something is wrong with one of its streams; we serve the others',
    ({ streams }) => streams.length > 1,
  ],
  [
    /^(?:reset|connection|4)/,
    /^connection/,
    'the connection ends at a fault in its framing; before that each refused what it did',
    () => true,
  ],
];

/** The kind of a difference. */
export function kindOf({ ours, node, stream, streams }) {
  const facts = { ...factsOf(stream), streams };
  const kind = KINDS.find(([own, other, , test]) => is(own, ours) && is(other, node) && test(facts));
  return kind?.[2] ?? `UNEXPLAINED: we ${ours}, node ${node}`;
}

function is(expected, verdict) {
  return expected instanceof RegExp ? expected.test(String(verdict)) : expected === String(verdict);
}

function factsOf(stream) {
  const first = (name) => stream.fields.find(([other]) => other === name)?.[1];
  return {
    ...stream,
    method: first(':method'),
    scheme: first(':scheme'),
    path: first(':path'),
    hosts: stream.fields.filter(([name]) => name === ':authority' || name === 'host').map(([, value]) => value),
    expect: first('expect'),
    lengths: stream.fields.filter(([name]) => name === 'content-length').map(([, value]) => value),
  };
}

function isNoField([name, value]) {
  if (OF_THE_CONNECTION.has(name) || (name === 'te' && value !== 'trailers')) return true;
  return (!name.startsWith(':') && !NAME.test(name)) || /[\0\r\n]|^[ \t]|[ \t]$/.test(value);
}
