/**
 * A gateway for tests: HTTP/1.1 in front, and behind it a connection of its own to the server, over TLS or in HTTP/2, for each connection in front.
 *
 * Under TLS it passes bytes. For HTTP/2 node:http reads what the clients say and node:http2 says it to the server: requests, bodies as they come,
 * interim responses, handshakes of websockets, and that one side has left. Requests of one connection go one after the other, as in HTTP/1.1.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hasLeft } from '../../src/server/socket/presence.ts';

/** A gateway that runs. */
export interface Gateway {
  readonly port: number;
  close(): void;
}

/** Fields that are about the connection in front (RFC 9110 §7.6.1), or are said in another way behind it. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'host', 'http2-settings']);
/** Spelled otherwise than every word with a capital. */
const SPELLED: Readonly<Record<string, string>> = { etag: 'ETag', 'www-authenticate': 'WWW-Authenticate' };
const NOTHING = Buffer.alloc(0);
const CANCEL = 8;
/** How often a client that has ended its side is looked after, ms. */
const WATCH_INTERVAL = 50;
/** How many of these looks there are for each time that it is asked. */
const LOOKS = 10;
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Opens a gateway to a server on a port of this machine. */
export async function openGateway(port: number, over: 'https' | 'h2' | 'h2c'): Promise<Gateway> {
  const front = over === 'https' ? passBytes(port) : translate(port, over === 'h2');
  const open = new Set<Socket>();
  front.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    port: (front.address() as AddressInfo).port,
    close: () => {
      front.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function passBytes(port: number): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const below = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const back = connectTls({ socket: below, rejectUnauthorized: false });
    const reset = (): void => void below.resetAndDestroy();
    socket.pipe(back);
    back.pipe(socket);
    socket.once('end', () => {
      const timer = setInterval(() => {
        if (!hasLeft(socket)) return; // what the server sends draws a reset
        reset();
        socket.destroy();
      }, WATCH_INTERVAL);
      socket.once('close', () => clearInterval(timer));
    });
    socket.on('error', reset).on('close', () => back.destroySoon());
    back.on('error', () => socket.resetAndDestroy()).on('close', () => socket.destroySoon());
  });
}

function translate(port: number, isSecure: boolean): Server {
  const server = createHttpServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1024 * 1024, noDelay: true });
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true; // a client may end its side, and read its answer
  const sessions = new WeakMap<Socket, ClientHttp2Session>();
  const turns = new WeakMap<Socket, Promise<unknown>>();
  server.on('connection', (socket: Socket) => {
    const session = connectHttp2(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false });
    sessions.set(socket, session);
    socket.once('close', () => session.destroy());
    session.on('error', () => socket.resetAndDestroy());
    session.on('close', () => socket.destroySoon());
  });
  const exchange = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const before = turns.get(socket) ?? Promise.resolve();
    turns.set(socket, once(response, 'close'));
    void before.then(() => {
      const session = sessions.get(socket);
      if (!session || session.destroyed) socket.destroy();
      else answer(request, response, session);
    });
  };
  server.on('request', exchange).on('checkContinue', exchange).on('checkExpectation', exchange);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const session = sessions.get(socket);
    if (session) void upgrade(request, socket, head, session);
  });
  return server;
}

/**
 * A client that has ended its side may read on, or have left. As the server does over HTTP/1.1 (see `server/http1/departure.ts`), it is sent
 * something that means nothing: the host of one that has left answers with a reset.
 */
function watch(socket: Socket, response: ServerResponse): void {
  let looks = 0;
  const timer = setInterval(() => {
    if (hasLeft(socket)) socket.destroy();
    if (looks++ % LOOKS !== 0) return; // it may close its connection long after it has ended its side
    if (!response.headersSent) socket.write('HTTP/1.1 102 Processing\r\n\r\n');
    else if (response.chunkedEncoding) socket.write('0');
  }, WATCH_INTERVAL);
  response.once('close', () => clearInterval(timer));
}

function answer(request: IncomingMessage, response: ServerResponse, session: ClientHttp2Session): void {
  const { socket } = request;
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  const stream = session.request(fieldsOf(request), { endStream: !hasBody });
  if (hasBody) request.pipe(stream);
  const onEnd = (): void => watch(socket, response);
  if (socket.readableEnded) onEnd();
  else socket.once('end', onEnd);
  response.on('close', () => {
    socket.off('end', onEnd);
    if (!stream.destroyed) stream.close(CANCEL);
  });
  stream.on('continue', () => void socket.write('HTTP/1.1 100 Continue\r\n\r\n'));
  stream.on('headers', (fields: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    if (request.httpVersion !== '1.0') socket.write(headOf(Number(fields[':status']), raw), 'latin1'); // RFC 9110 §15.2
  });
  stream.on('response', (fields: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    const sent = spelled(raw);
    response.sendDate = false;
    if (socket.readableEnded || session.closed || !response.shouldKeepAlive) sent.push('Connection', 'close');
    else response.removeHeader('connection'); // none is added then
    response.writeHead(Number(fields[':status']), sent);
    response.write(NOTHING); // sends the head, each character a byte: flushHeaders would send it as UTF-8
    stream.pipe(response);
  });
  cutWith(stream, socket, () => response.writableEnded);
}

/** What the server resets is, in HTTP/1.1, a connection that it cuts; but for the rest of a request that it does not want. */
function cutWith(stream: ClientHttp2Stream, socket: Socket, isEnded: () => boolean): void {
  stream.on('error', () => {});
  stream.on('close', () => {
    if (stream.rstCode !== 0 && !isEnded()) socket.resetAndDestroy();
  });
}

/** The handshake of a websocket (RFC 8441); any other protocol is not asked for, as HTTP/2 knows no way to. */
async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, session: ClientHttp2Session): Promise<void> {
  socket.on('error', () => {});
  if (!session.remoteSettings.maxFrameSize) await once(session, 'remoteSettings');
  const protocol = request.headers.upgrade ?? '';
  const isWebsocket = protocol.toLowerCase() === 'websocket';
  const fields = fieldsOf(request);
  const stream = session.request(isWebsocket ? { ...fields, ':method': 'CONNECT', ':protocol': 'websocket' } : fields, {
    endStream: !isWebsocket,
  });
  socket.on('close', () => stream.close(CANCEL));
  stream.on('response', (answered: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    const status = Number(answered[':status']);
    if (isWebsocket && status === 200) {
      const key = request.headers['sec-websocket-key'] ?? '';
      const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
      const own = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-accept', accept];
      socket.write(headOf(101, [...own, ...raw]), 'latin1');
      stream.write(head);
      socket.pipe(stream);
    } else socket.write(headOf(status, [...raw, 'connection', 'close']), 'latin1');
    stream.pipe(socket);
  });
  cutWith(stream, socket, () => socket.writableEnded);
}

/** The fields of a request for HTTP/2. */
function fieldsOf(request: IncomingMessage): OutgoingHttpHeaders {
  const { method = 'GET', url = '/', rawHeaders, headers } = request;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(url);
  const path = absolute ? (absolute[2] ?? '') : url;
  const fields: Record<string, string | string[]> = {
    ':method': method,
    ':path': path.startsWith('/') || path === '*' ? path : `/${path}`,
  };
  const authority = absolute?.[1] ?? headers.host;
  if (authority !== undefined) fields[':authority'] = authority;
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = [(rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? ''];
    if (HOP_BY_HOP.has(name) || named.has(name) || (name === 'te' && value !== 'trailers')) continue;
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

function headOf(status: number, raw: readonly string[]): string {
  const fields = spelled(raw);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** Names as HTTP/1.1 usually has them, without those that only HTTP/2 has. */
function spelled(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.startsWith(':')) continue;
    fields.push(SPELLED[name] ?? name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()), raw[i + 1] ?? '');
  }
  return fields;
}
