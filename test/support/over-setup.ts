/**
 * Before each test: one that is about what only HTTP/1.1 has, or a connection in the clear, is skipped where it is asked over something else.
 *
 * Whole files of that kind are left out in vitest.config.ts, which says so.
 *
 * @module
 */
import { beforeEach } from 'vitest';
import { isOverHttp2, isOverTls, OVER } from './over.ts';

/** Tests by the end of their file's name, and by the beginning of their names: all of a group when that is what is given. */
type Skips = readonly (readonly [file: string, ...names: readonly string[]])[];

/** The gateway is the client that such a test sees: its port, and how it ends a connection. */
const OF_A_GATEWAY: Skips = [
  ['guests/watched.test.ts', 'the instrumentation of node:http'], // which sees the gateway as well
  ['rfc/rfc9112-connection.test.ts', 'also after the system has asked'],
  ['helpers/websocket/websocket.test.ts', 'does not take its own long calculations'], // in the client's process
  ['helpers/cgi/rouille.test.ts', 'has the address without the port', 'has the port of ours'],
  ['server/behind-proxies.test.ts', 'that says nothing of itself'],
  ['helpers/compress/server.test.ts', 'with small questions are answered while fifty bodies'], // the gateway computes in the client's process
];

/** Bytes, connections and framing of HTTP/1.1, and methods and versions that node:http in the gateway does not know. */
const OF_HTTP1: Skips = [
  ['guests/socket-io/leaving.test.ts', 'tells a client that polls once more instead'], // on the connection that it has, which takes no more requests
  ['exchange/error-format.test.ts', 'what is refused before the handler is called', 'decides for connections beyond maxConnections'],
  // only HTTP/1.1 has the field that tells a browser from a proxy
  ['exchange/explain.test.ts', 'a 500 on the machine of its programmer', 'the page in Chromium'],
  ['exchange/channels.test.ts', 'that no handler sees is told of with its refusal'],
  ['exchange/stores.test.ts', 'is there where a connection is taken over'],
  ['exchange/web-response.test.ts', 'is not collected as garbage while it waits behind a slow answer'], // pipelined
  ['guests/answer-with-node.test.ts', 'is a 501 for a method', 'sends on the interim responses', 'sends it with its length, HEAD and 304'],
  ['guests/fetch-differential.test.ts', 'is answered otherwise than'],
  // upgrades to protocols that are no websocket; those over HTTP/2 are asked for there as well
  ['guests/upgrade-with-node.test.ts', 'upgradeWithNode >'],
  ['guests/node-differential.test.ts', 'does otherwise than', 'expects 100-continue', 'what a listener reads of the request'],
  ['helpers/compress/server.test.ts', 'of HEAD is that of GET'],
  ['helpers/early-hints.test.ts', 'waits for its turn behind pipelined requests', 'does not come behind the last response of a connection'],
  ['helpers/proxy/dispatcher.test.ts', 'for requests and for upgrades'],
  ['helpers/proxy/interim.test.ts', 'holds one for a pipelined request'],
  ['helpers/proxy/proxy.test.ts', 'what undici refuses is never a crash'],
  ['helpers/proxy/security.test.ts', 'no chunk sizes in the body'],
  ['helpers/proxy/upgrade.test.ts', 'proxy passes'],
  ['http/response-sent.test.ts', 'serves on after a thousand handlers that threw'], // the gateway asks one after the other, and is slow
  ['helpers/websocket/websocket.test.ts', 'keeps the connection of a client whose handshake was refused'],
];

/** What is said in the clear. */
const OF_PLAIN_TEXT: Skips = [
  ['exchange/error-format.test.ts', 'decides for connections beyond maxConnections'],
  ['guests/answer-with-node.test.ts', 'answers with a whole Express application'],
  ['guests/fetch-differential.test.ts', 'is answered as on @hono/node-server', 'is answered otherwise than'],
  ['helpers/proxy/proxy.test.ts', 'who asks, as we know it'],
  ['helpers/websocket/websocket.test.ts', 'refuses a page of another origin'],
  // under TLS a connection is cut without the alert that ends it, where TCP would reset it
  ['rfc/rfc9112-response.test.ts', 'resets the connection when a body fails'],
  ['rfc/time-and-load.test.ts', 'to connections beyond maxConnections'],
  ['server/cost.test.ts', 'are one for head and body of 30 KiB', 'is not more for 16 small bodies'],
  ['server/peer.test.ts', 'an IPv4-mapped address', 'the client behind a proxy'],
  ['server/refusals.test.ts', 'for which there is no room', 'counts what was refused'],
  ['server/watched-connections.test.ts', 'is told of when it is opened'],
];

const skips = [...(OVER === 'http' ? [] : OF_A_GATEWAY), ...(isOverHttp2 ? OF_HTTP1 : []), ...(isOverTls ? OF_PLAIN_TEXT : [])];

beforeEach(({ task, skip }) => {
  const names = skips.filter(([file]) => task.file.name.endsWith(file)).flatMap(([, ...found]) => found);
  let path = task.name;
  for (let { suite } = task; suite; suite = suite.suite) path = `${suite.name} > ${path}`;
  if (names.some((name) => path.includes(name))) skip(`It is about HTTP/1.1 itself, and this is ${OVER}`);
});
