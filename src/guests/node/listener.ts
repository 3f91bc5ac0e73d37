/**
 * A handler as a guest of node:http.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Dispatch, tellUnsent } from '../../exchange/dispatch.ts';
import { type Outgoing, withoutConnection } from '../../exchange/outgoing.ts';
import { unmapped } from '../../http/address.ts';
import { clientLeft } from '../../http/errors/abort-reason.ts';
import { FieldLines } from '../../http/field-lines.ts';
import type { Carrier, HttpVersion, Peer, Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import { type Arrival, bodyIncomplete, Guest, type GuestHandler, type GuestOptions } from '../guest.ts';

/** Makes the listener. */
export function listenerOf(handler: GuestHandler, options: GuestOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const guest = new Guest(handler, options);
  return (req, res) => void serve(guest, req, res);
}

async function serve(guest: Guest, req: IncomingMessage, res: ServerResponse): Promise<void> {
  let current: Request | undefined;
  let dispatch: Dispatch | undefined;
  const client = { isGone: false };
  res.on('error', ignore); // 'close' follows
  res.on('close', () => {
    client.isGone = true;
    if (!res.writableFinished) current?.abort(clientLeft());
    current?.release();
    if (dispatch) dispatch.end(res.writableFinished);
    else if (current) tellUnsent(current);
  });
  const { request, response } = await guest.answer(arrivalOf(req, interimsOf(res)), (begun) => {
    current = begun;
    if (client.isGone) begun.abort(clientLeft());
  });
  if (client.isGone || res.headersSent) return response.dispose();
  try {
    const outgoing = await guest.outgoing(response, request);
    dispatch = Dispatch.of(request, response, outgoing);
    await send(req, res, response, outgoing, client);
  } catch (error) {
    if (dispatch) dispatch.hasFailed = true;
    if (!client.isGone) guest.report(error, request, response);
    res.destroy(); // the head is out: an incomplete body must never look complete
  }
}

function arrivalOf(req: IncomingMessage, carrier: Carrier): Arrival {
  const { socket } = req;
  const rawHeaders = (req.rawHeaders as string[] | undefined) ?? rawOf(req); // requests that test tools make up may have none
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    // Pseudo-fields of HTTP/2: `:authority` takes the place of Host, the others are not fields (RFC 9113 §8.3.1).
    if (name === ':authority') pairs.push(['host', rawHeaders[i + 1] ?? '']);
    else if (!name.startsWith(':')) pairs.push([name, rawHeaders[i + 1] ?? '']);
  }
  const peer: Peer = {
    remoteAddress: socket.remoteAddress && unmapped(socket.remoteAddress),
    remotePort: socket.remotePort,
    secure: 'encrypted' in socket && socket.encrypted === true,
    host: undefined,
    port: socket.localPort,
    readAt: performance.now(),
    carrier,
  };
  const httpVersion: HttpVersion = req.httpVersion === '1.0' || req.httpVersion === '2.0' ? req.httpVersion : '1.1';
  const head = { method: req.method ?? 'GET', target: req.url ?? '/', httpVersion, lines: FieldLines.of(pairs) };
  const length = req.headers['content-length'];
  return { head, peer, body: bodyOf(req), size: length === undefined ? undefined : Number(length) };
}

function rawOf({ headers }: IncomingMessage): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (Array.isArray(value) ? value : [value ?? '']).flatMap((one) => [name, one]));
}

/** Interim responses as far as the host can send them: 103 with a Link, and over HTTP/1.1 a 102, without fields. */
function interimsOf(res: ServerResponse): Carrier {
  return {
    sendInterim(_request, status, fields) {
      if (res.headersSent || res.destroyed) return;
      const { link, ...others } = Object.fromEntries(
        Array.from(grouped(withoutConnection(fields.pairs())), ([name, values]) => [name.toLowerCase(), values]),
      );
      try {
        if (status === 103 && link !== undefined) res.writeEarlyHints({ ...others, link });
        else if (status === 102) (res as Partial<ServerResponse>).writeProcessing?.();
      } catch {
        // Node accepts fewer forms of Link than there are: a hint is dispensable
      }
    },
  };
}

/** The body, if one was announced. An HTTP/2 request announces it by not having ended. */
function bodyOf(req: IncomingMessage): AsyncIterable<Uint8Array> | undefined {
  const isAnnounced = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  if (!isAnnounced && (req.httpVersionMajor === 1 || req.complete)) return undefined;
  return wholeBody(req);
}

async function* wholeBody(req: IncomingMessage): AsyncGenerator<Uint8Array> {
  if (req.readableDidRead) {
    throw new TypeError(
      'Cannot read request: its body has been read by somebody else; mount the listener before anything that parses bodies',
    );
  }
  const pieces: AsyncIterable<Uint8Array> = req.iterator({ destroyOnReturn: false }); // destroying it would end the connection
  try {
    yield* pieces;
  } catch (error) {
    throw bodyIncomplete(error);
  }
  if (isCut(req)) throw bodyIncomplete();
}

/** Requests that test tools make up do not say whether they are complete. */
function isCut({ complete }: Partial<IncomingMessage>): boolean {
  return complete === false;
}

async function send(
  req: IncomingMessage,
  res: ServerResponse,
  response: Response,
  { status, headers, length, body }: Outgoing,
  client: { readonly isGone: boolean },
): Promise<void> {
  res.statusCode = status;
  for (const [name, values] of grouped(headers)) res.setHeader(name, values);
  if (length !== undefined) res.setHeader('Content-Length', length);
  if (req.httpVersionMajor === 1) {
    const upgrade = status === 426 ? response.header('upgrade') : undefined;
    if (upgrade !== undefined) res.setHeader('Upgrade', upgrade).setHeader('Connection', 'Upgrade');
    // The rest of the body is not read, so it could not be told apart from the next request.
    else if (isCut(req) || response.list.wire.closes) res.setHeader('Connection', 'close');
  }
  if (body === undefined || body instanceof Uint8Array) {
    res.end(body);
    return;
  }
  if (client.isGone) return body.drop();
  res.on('close', () => body.drop());
  res.flushHeaders();
  for await (const piece of body) {
    if (!client.isGone && !res.write(piece)) await drained(res);
    if (client.isGone) return;
  }
  res.end();
}

/** Groups several lines of one name into a list, which Node writes as lines again. */
function grouped(headers: Outgoing['headers']): Map<string, string | string[]> {
  const names = new Map<string, string>();
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of headers) {
    const first = names.get(name.toLowerCase()) ?? name;
    names.set(name.toLowerCase(), first);
    const before = fields.get(first);
    fields.set(first, before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value]);
  }
  return fields;
}

/** Waits until the client has read something, or is gone. */
function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

function ignore(): void {}
