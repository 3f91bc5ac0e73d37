/**
 * Puts one response on the wire: chooses its framing (RFC 9112 §6), gathers what is small, and sends the rest in pieces.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { inContextOf } from '../../exchange/channels.ts';
import { Dispatch } from '../../exchange/dispatch.ts';
import { sizeOf } from '../../exchange/outgoing.ts';
import { plainResponseTo, reportError, upgradeRequired } from '../../exchange/respond.ts';
import { CHUNKED, responseLength, UNTIL_CLOSE } from '../../h1/framing.ts';
import { serializedOf } from '../../h1/serialized-fields.ts';
import { bodylessLength, CLOSE, KEEP_ALIVE, serializeHead } from '../../h1/serializer.ts';
import { FileContent, StreamContent } from '../../http/body/response-body.ts';
import type { Response } from '../../http/response.ts';
import { isBodyless } from '../../http/status.ts';
import { SMALL_BODY } from '../connection/memory-pieces.ts';
import { type OpenBody, openBody } from '../connection/open-body.ts';
import { takeoverOf } from '../connection/takeover.ts';
import type { Service } from '../service.ts';
import { straightTo } from '../socket/straight-socket.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { Turn } from './turn.ts';

/** What sending needs from a connection. */
export interface SendingConnection {
  readonly service: Service;
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  /** Whether the connection may go on after this turn; asked when its answer is about to be sent. */
  mayGoOn(turn: Turn): boolean;
  /** Hands the socket over to another protocol. @returns The bytes that came after the request. */
  handOver(turn: Turn): Buffer;
  /** Ends at once. */
  destroy(): void;
}

/** Longest text that is cached in order to recognize it again, bytes. */
const MAX_REPEATED = 1024;

/**
 * Sends a response.
 *
 * @returns Nothing when all of it has been gathered; else a promise of whether all of it went out. It never rejects.
 */
export function sendResponse(connection: SendingConnection, turn: Turn, response: Response): Promise<boolean> | undefined {
  turn.measure();
  if (response.take) return sendUpgrade(connection, turn, response);
  const { content } = response;
  const isHead = turn.head.method === 'HEAD';
  if (isHead || isBodyless(response.status)) {
    gatherHead(connection, turn, response, isHead ? sizeOf(response) : 0);
    response.dispose();
    return undefined;
  }
  if (content instanceof FileContent || content instanceof StreamContent) return sendSource(connection, turn, response, content);
  if (content === undefined) {
    gatherHead(connection, turn, response, 0);
    return undefined;
  }
  if (typeof content === 'string') return sendText(connection, turn, response, content);
  gatherHead(connection, turn, response, content.length);
  if (content.length > SMALL_BODY) {
    if (turn.dispatch) turn.dispatch.counter = connection.writer;
    return connection.writer.sendBytes(content);
  }
  connection.writer.gatherBytes(content);
  return undefined;
}

/** A response has been gathered, or has broken off: whoever wants to know is told when it is out. */
export function tellWhenOut(writer: ResponseWriter, { dispatch }: Turn, isWhole: boolean): void {
  if (!dispatch) return;
  dispatch.isLeaving = true;
  if (!dispatch.isWanted) return;
  if (isWhole) writer.whenOut(dispatch);
  else dispatch.end(false);
}

/** A short text is often the one that was sent last with these fields, and within a second its whole answer is one string. */
function sendText(connection: SendingConnection, turn: Turn, response: Response, text: string): Promise<boolean> | undefined {
  const { writer } = connection;
  const kept = serializedOf(response.list.wire);
  const isRepeated = kept.text === text;
  const size = isRepeated ? kept.size : Buffer.byteLength(text);
  const head = headOf(connection, turn, response, size);
  if (isRepeated && kept.answerHead === head) {
    writer.gather(kept.answer);
    return undefined;
  }
  if (size > SMALL_BODY) {
    if (turn.dispatch) turn.dispatch.counter = writer;
    writer.gather(head);
    return writer.sendText(text, size);
  }
  const bytes = size === text.length ? text : Buffer.from(text).toString('latin1'); // ASCII: already one byte per character
  if (isRepeated) {
    kept.answerHead = head;
    kept.answer = [head, bytes].join(''); // flat, which `+` is not
  } else if (size <= MAX_REPEATED) {
    kept.text = text;
    kept.size = size;
    kept.answerHead = '';
  }
  writer.gather(head);
  writer.gather(bytes);
  return undefined;
}

/** Gathers the head. @param size Bytes of the body; undefined when unknown. @returns The framing that was announced. */
function gatherHead(connection: SendingConnection, turn: Turn, response: Response, size: number | undefined): number {
  const length = isBodyless(response.status)
    ? bodylessLength(response.status, response.list.wire)
    : responseLength(response.status, turn.head.httpVersion === '1.0', size);
  connection.writer.gather(headOf(connection, turn, response, length));
  return length;
}

/** The head as text, with its connection options. */
function headOf(connection: SendingConnection, turn: Turn, response: Response, length: number): string {
  const { wire } = response.list;
  turn.dispatch?.begin(response);
  connection.service.traffic.answering(turn, response.status);
  if (length === UNTIL_CLOSE || wire.closes || !connection.mayGoOn(turn)) turn.isLast = true;
  const lines = turn.isLast ? CLOSE : turn.head.httpVersion === '1.0' ? KEEP_ALIVE : '';
  const offer = response.status === 426 ? upgradeLines(response.header('upgrade')) : '';
  return serializeHead(response.status, wire, connection.service.clock.dateLine, length, offer + lines);
}

/** Upgrade, and the connection option that must accompany it (RFC 9110 §7.8). */
function upgradeLines(protocol: string | undefined): string {
  return protocol === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
}

async function sendSource(
  connection: SendingConnection,
  turn: Turn,
  response: Response,
  content: FileContent | StreamContent,
): Promise<boolean> {
  const { service, writer } = connection;
  let body: OpenBody;
  try {
    body = await openBody(response, content, service.isDraining);
  } catch (error) {
    // Nothing has been sent yet: the client can still get another answer.
    const answer = inContextOf(turn.asRequest(), content, () => plainResponseTo(service, turn.asRequest(), error));
    return (await sendResponse(connection, turn, answer)) ?? true;
  }
  turn.dispatch ??= new Dispatch(turn.asRequest()); // whoever makes the body may ask for it yet
  turn.dispatch.counter = body.pieces;
  const length = gatherHead(connection, turn, body.response, body.size);
  try {
    const isWhole = await writer.sendPieces(body.pieces, length === CHUNKED);
    writer.flush();
    return isWhole;
  } catch (error) {
    turn.dispatch.hasFailed = true;
    inContextOf(turn.asRequest(), content, () => reportError(service, turn.asRequest(), error)); // the head is out: the connection can only be cut
    return false;
  }
}

/** Sends 101 and hands the connection to the handler. A client that did not ask for it learns what to ask for (RFC 9110 §15.5.22). */
function sendUpgrade(connection: SendingConnection, turn: Turn, response: Response): Promise<boolean> | undefined {
  const { head } = turn;
  if (head.upgrade === undefined || !turn.isRead) return sendResponse(connection, turn, upgradeRequired(response));
  const lines = upgradeLines(response.header('upgrade') ?? '');
  connection.service.traffic.answering(turn, 101);
  connection.writer.gather(serializeHead(101, response.list.wire, '', bodylessLength(101, response.list.wire), lines));
  turn.dispatch?.begin(response);
  tellWhenOut(connection.writer, turn, true);
  const rest = connection.handOver(turn);
  try {
    response.take?.(
      connection.socket,
      rest,
      takeoverOf(connection.service, turn, (listener) => connection.socket.on('close', listener), straightTo(connection.socket)),
    );
  } catch (error) {
    reportError(connection.service, turn.asRequest(), error);
    connection.destroy();
  }
  return undefined;
}
