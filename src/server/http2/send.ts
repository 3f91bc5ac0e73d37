/**
 * Sends one response on a stream: what is small at once, the rest in pieces.
 *
 * @module
 */
import { inContextOf } from '../../exchange/channels.ts';
import { Dispatch } from '../../exchange/dispatch.ts';
import { sizeOf } from '../../exchange/outgoing.ts';
import { plainResponseTo, reportError, upgradeRequired } from '../../exchange/respond.ts';
import { NO_LENGTH } from '../../h2/response-head.ts';
import type { Session } from '../../h2/session.ts';
import type { FileContent, StreamContent } from '../../http/body/response-body.ts';
import type { Response } from '../../http/response.ts';
import { isBodyless, lengthWithoutBody } from '../../http/status.ts';
import { SMALL_BODY } from '../connection/memory-pieces.ts';
import { type OpenBody, openBody } from '../connection/open-body.ts';
import { takeoverOf } from '../connection/takeover.ts';
import type { Service } from '../service.ts';
import type { OutNotice } from '../socket/out-notices.ts';
import { SourceOutflow, TextOutflow } from './outflow.ts';
import type { StreamExchange } from './stream-exchange.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

/** What sending needs from a sending. */
export interface Sending {
  readonly service: Service;
  readonly session: Session<StreamExchange>;
  /** Writes what there is, behind what else this turn brings. */
  readonly flushSoon: () => void;
  /** Sends another response in place of one of which nothing has been sent. */
  replace(exchange: StreamExchange, response: Response): void;
  /** All of a response is framed. */
  finish(exchange: StreamExchange): void;
  /** A response has failed behind its head. */
  fail(exchange: StreamExchange): void;
  /** The stream now belongs to somebody else. */
  handOver(exchange: StreamExchange): void;
}

/** All of a response is framed: whoever wants to know is told when it is out. */
export function tellWhenOut(writer: { whenOut(notice: OutNotice): void }, { dispatch }: StreamExchange): void {
  if (!dispatch) return;
  dispatch.isLeaving = true;
  if (dispatch.isWanted) writer.whenOut(dispatch);
}

/** Sends a response. @returns Whether all of it is framed. If not, `finish` is called when it is, unless the stream is reset or handed over. */
export function sendResponse(sending: Sending, exchange: StreamExchange, response: Response): boolean {
  const dispatch = exchange.measure();
  if (dispatch) dispatch.counter = exchange.stream;
  if (response.take) return sendUpgrade(sending, exchange, response);
  const { content, status } = response;
  const isHead = exchange.head.method === 'HEAD';
  if (isHead || isBodyless(status)) {
    sendHead(sending, exchange, response, isHead ? sizeOf(response) : undefined, true);
    response.dispose();
    return true;
  }
  if (typeof content === 'string') return sendText(sending, exchange, response, content);
  if (content === undefined || content instanceof Uint8Array) {
    const bytes = content ?? NOTHING;
    sendHead(sending, exchange, response, bytes.length, bytes.length === 0);
    return bytes.length === 0 || sending.session.write(exchange.stream, bytes, true);
  }
  void sendSource(sending, exchange, response, content);
  return false;
}

function sendText(sending: Sending, exchange: StreamExchange, response: Response, text: string): boolean {
  const { session } = sending;
  const size = Buffer.byteLength(text);
  sendHead(sending, exchange, response, size, size === 0);
  if (size === 0) return true;
  if (size <= SMALL_BODY) return session.writeText(exchange.stream, text, size);
  const outflow = new TextOutflow(session, exchange.stream, text, size);
  exchange.outflow = outflow;
  return outflow.onRoom();
}

/** @param size Bytes of the body; undefined when unknown. */
function sendHead(sending: Sending, exchange: StreamExchange, response: Response, size: number | undefined, isLast: boolean): void {
  const { stream, dispatch } = exchange;
  dispatch?.begin(response);
  const { status } = response;
  sending.service.traffic.answering(exchange, status);
  const { wire } = response.list;
  const length = isBodyless(status) ? lengthWithoutBody(status, wire.contentLength) : size;
  sending.session.respond(stream, status, wire, sending.service.clock.date, length ?? NO_LENGTH, isLast);
}

async function sendSource(
  sending: Sending,
  exchange: StreamExchange,
  response: Response,
  content: FileContent | StreamContent,
): Promise<void> {
  const { service, session } = sending;
  let body: OpenBody;
  try {
    body = await openBody(response, content, service.isDraining);
  } catch (error) {
    // Nothing has been sent yet: the client can still get another answer.
    const answer = (): Response => plainResponseTo(service, exchange.asRequest(), error);
    if (!exchange.isOver) sending.replace(exchange, inContextOf(exchange.asRequest(), content, answer));
    return;
  }
  if (exchange.isOver) return body.pieces.drop();
  const outflow = new SourceOutflow(session, exchange.stream, body.pieces);
  exchange.outflow = outflow;
  exchange.dispatch ??= new Dispatch(exchange.asRequest()); // whoever makes the body may ask for it yet
  exchange.dispatch.counter = exchange.stream;
  sendHead(sending, exchange, body.response, body.size, false);
  try {
    if (await outflow.run(sending.flushSoon)) sending.finish(exchange);
  } catch (error) {
    exchange.dispatch.hasFailed = true;
    inContextOf(exchange.asRequest(), content, () => reportError(service, exchange.asRequest(), error)); // the head is out: the stream can only be reset
    sending.fail(exchange);
  }
}

/** Answers an extended CONNECT and hands its stream to the handler (RFC 8441 §5). Another request learns that it would have to ask for it. */
function sendUpgrade(sending: Sending, exchange: StreamExchange, response: Response): boolean {
  const { service, session } = sending;
  const { socket, stream } = exchange;
  if (!socket) return sendResponse(sending, exchange, upgradeRequired(response));
  service.traffic.answering(exchange, 200);
  session.respond(stream, 200, response.list.without('Sec-WebSocket-Accept').wire, service.clock.date, NO_LENGTH, false);
  exchange.dispatch?.begin(response, 200);
  sending.handOver(exchange);
  try {
    response.take?.(
      socket,
      NOTHING, // what has come already waits in the socket
      takeoverOf(service, exchange, (listener) => socket.on('close', listener)),
    );
  } catch (error) {
    reportError(service, exchange.asRequest(), error);
    socket.destroy();
  }
  return false;
}
