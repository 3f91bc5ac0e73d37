/**
 * Puts one response on the wire: chooses its framing (RFC 9112 §6), gathers what is small, and sends the rest in pieces.
 *
 * @module
 */

import { reportError, responseTo } from '../../exchange/respond.ts';
import { CHUNKED, responseLength, UNTIL_CLOSE } from '../../h1/framing.ts';
import { bodylessLength, CLOSE, KEEP_ALIVE, serializeHead } from '../../h1/serializer.ts';
import { HttpError } from '../../http/http-error.ts';
import { Response } from '../../http/response.ts';
import { FileContent, StreamContent } from '../../http/response-body.ts';
import { isBodyless } from '../../http/status.ts';
import { openSource } from '../body-source.ts';
import { takeoverOf } from '../takeover.ts';
import type { Http1Connection } from './connection.ts';
import { SMALL_BODY } from './response-writer.ts';
import type { Exchange } from './turn.ts';

/** Longest text that is kept to be known again, bytes. */
const MAX_REPEATED = 1024;

/**
 * Sends a response.
 *
 * @returns Nothing when all of it has been gathered; else a promise of whether it went out whole. It never rejects.
 */
export function sendResponse(connection: Http1Connection, exchange: Exchange, response: Response): Promise<boolean> | undefined {
  if (response.take) return sendUpgrade(connection, exchange, response);
  const { content } = response;
  const isHead = exchange.head.method === 'HEAD';
  if (isHead || isBodyless(response.status)) {
    gatherHead(connection, exchange, response, isHead ? sizeOf(response) : 0);
    response.dispose();
    return undefined;
  }
  if (content instanceof FileContent || content instanceof StreamContent) return sendSource(connection, exchange, response, content);
  if (content === undefined) {
    gatherHead(connection, exchange, response, 0);
    return undefined;
  }
  if (typeof content === 'string') return sendText(connection, exchange, response, content);
  gatherHead(connection, exchange, response, content.length);
  if (content.length > SMALL_BODY) return connection.writer.sendBytes(content);
  connection.writer.gatherBytes(content);
  return undefined;
}

/** A short text is often the one that was sent last with these fields, and within a second its whole answer is one string. */
function sendText(connection: Http1Connection, exchange: Exchange, response: Response, text: string): Promise<boolean> | undefined {
  const { writer } = connection;
  const { sent } = response.list.wire;
  const isRepeated = sent.text === text;
  const size = isRepeated ? sent.size : Buffer.byteLength(text);
  const head = headOf(connection, exchange, response, size);
  if (isRepeated && sent.head === head) {
    writer.gather(sent.answer);
    return undefined;
  }
  if (size > SMALL_BODY) {
    writer.gather(head);
    return writer.sendBytes(Buffer.from(text));
  }
  const bytes = size === text.length ? text : Buffer.from(text).toString('latin1'); // ASCII: one byte a character already
  if (isRepeated) {
    sent.head = head;
    sent.answer = [head, bytes].join(''); // flat, which `+` is not
  } else if (size <= MAX_REPEATED) {
    sent.text = text;
    sent.size = size;
    sent.head = '';
  }
  writer.gather(head);
  writer.gather(bytes);
  return undefined;
}

/** What GET would announce, for HEAD. */
function sizeOf({ content, list }: Response): number | undefined {
  if (content === undefined) return list.wire.contentLength ?? 0;
  if (typeof content === 'string') return Buffer.byteLength(content);
  if (content instanceof Uint8Array) return content.length;
  return content.size ?? list.wire.contentLength;
}

/** @param size Bytes of the body; undefined when nobody knows. @returns The framing that was announced. */
function gatherHead(connection: Http1Connection, exchange: Exchange, response: Response, size: number | undefined): number {
  const length = isBodyless(response.status)
    ? bodylessLength(response.status, response.list.wire)
    : responseLength(response.status, exchange.head.httpVersion === '1.0', size);
  connection.writer.gather(headOf(connection, exchange, response, length));
  return length;
}

/** The head as text, and what it says of the connection. */
function headOf(connection: Http1Connection, exchange: Exchange, response: Response, length: number): string {
  const { wire } = response.list;
  if (length === UNTIL_CLOSE || wire.closes || !connection.mayGoOn(exchange)) exchange.isLast = true;
  const lines = exchange.isLast ? CLOSE : exchange.head.httpVersion === '1.0' ? KEEP_ALIVE : '';
  const offer = response.status === 426 ? upgradeLines(response.header('upgrade')) : '';
  return serializeHead(response.status, wire, connection.service.clock.dateLine, length, offer + lines);
}

/** Upgrade, and the connection option that must stand beside it (RFC 9110 §7.8). */
function upgradeLines(protocol: string | undefined): string {
  return protocol === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
}

async function sendSource(
  connection: Http1Connection,
  exchange: Exchange,
  response: Response,
  content: FileContent | StreamContent,
): Promise<boolean> {
  const { service, writer } = connection;
  let source: Awaited<ReturnType<typeof openSource>>;
  try {
    source = await openSource(content);
  } catch (error) {
    // Nothing has been sent: the client can still be told.
    const answer = responseTo(service, exchange.asRequest(), error);
    const isSendable = answer.content === undefined || typeof answer.content === 'string';
    return (await sendResponse(connection, exchange, isSendable ? answer : new HttpError(500).response)) ?? true;
  }
  const announced = source.size ?? response.list.wire.contentLength;
  const sent = source.isChanged ? response.withoutHeader('ETag').withoutHeader('Last-Modified') : response;
  const length = gatherHead(connection, exchange, sent, announced);
  try {
    const isWhole = await writer.sendSource(source, length >= 0 ? length : undefined, length === CHUNKED);
    writer.flush();
    return isWhole;
  } catch (error) {
    reportError(service, exchange.asRequest(), error); // the head is out: all that can be said now is a cut connection
    return false;
  }
}

/** 101, then the connection is the handler's. A client that did not ask for it is told what to ask for (RFC 9110 §15.5.22). */
function sendUpgrade(connection: Http1Connection, exchange: Exchange, response: Response): Promise<boolean> | undefined {
  const { head } = exchange;
  const protocol = response.header('upgrade') ?? '';
  if (head.upgrade === undefined || !exchange.isRead) {
    const refusal = new Response(`This resource speaks ${protocol}`, { status: 426, headers: { Upgrade: protocol } });
    return sendResponse(connection, exchange, refusal);
  }
  const lines = upgradeLines(protocol);
  connection.writer.gather(serializeHead(101, response.list.wire, '', bodylessLength(101, response.list.wire), lines));
  const rest = connection.handOver(exchange);
  try {
    response.take?.(connection.socket, rest, takeoverOf(connection.service, connection.socket, exchange));
  } catch (error) {
    reportError(connection.service, exchange.asRequest(), error);
    connection.destroy();
  }
  return undefined;
}
