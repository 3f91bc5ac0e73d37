import { describe, expect, it } from 'vitest';
import { Exchange, type ExchangeHost } from '../../src/exchange/exchange.ts';
import { RequestBody } from '../../src/http/body/request-body.ts';
import { FieldLines } from '../../src/http/field-lines.ts';
import type { Peer, Request, RequestHead } from '../../src/http/request.ts';
import { Response } from '../../src/http/response.ts';

const PEER: Peer = { remoteAddress: '192.0.2.1', remotePort: 1, secure: false, host: undefined, readAt: Number.NaN };

function hostWith(answerTimeout = 0): ExchangeHost {
  return {
    handler: () => Response.empty(),
    options: { onError: undefined, errors: 'auto' },
    answerTimeout,
    timedOut: () => {},
    requests: 0,
    current: undefined,
    inFlight: 0,
  };
}

/** An exchange, and the responses that came later than its handler returned. */
function made(path = '/a'): { exchange: Exchange; late: Response[]; owner: { onAnswer(exchange: Exchange): void } } {
  const late: Response[] = [];
  const head: RequestHead = { method: 'GET', target: path, httpVersion: '1.1', lines: FieldLines.of([['Host', 'a']]) };
  const exchange = new Exchange(head, { path, rawQuery: '', authority: undefined }, PEER);
  return { exchange, late, owner: { onAnswer: ({ response }) => void late.push(response as Response) } };
}

describe('an exchange', () => {
  it('has its response at once when the handler returns one', () => {
    const host = hostWith();
    const { exchange, late, owner } = made();
    const request = exchange.admit(host, RequestBody.EMPTY) as Request;
    expect([request.path, host.inFlight]).toEqual(['/a', 1]);
    const response = Response.text('now');
    expect(exchange.settle(host, response, owner)).toBe(true);
    expect([exchange.response, host.inFlight, late]).toEqual([response, 0, []]);
  });

  it('notifies its owner of a response that comes later', async () => {
    const host = hostWith();
    const { exchange, late, owner } = made();
    exchange.admit(host, RequestBody.EMPTY);
    const response = Response.text('later');
    expect(exchange.settle(host, Promise.resolve(response), owner)).toBe(false);
    expect([exchange.response, host.inFlight]).toEqual([undefined, 1]);
    await Promise.resolve();
    expect([exchange.response, host.inFlight, late]).toEqual([response, 0, [response]]);
  });

  it('is answered 503 when the time is up, aborts its request, and disposes of what the handler gives then', async () => {
    const host = hostWith(1000);
    const { exchange, late, owner } = made();
    const request = exchange.admit(host, RequestBody.EMPTY) as Request;
    let isDropped = false;
    const stream = { async *[Symbol.asyncIterator]() {}, destroy: () => void (isDropped = true) };
    exchange.settle(host, Promise.resolve(Response.stream('text/plain', stream)), owner);
    expect(exchange.timeOut(performance.now())).toBe(false);
    expect(exchange.timeOut(performance.now() + 1001)).toBe(true);
    expect(exchange.timeOut(performance.now() + 2000)).toBe(false); // once
    expect([exchange.response?.status, request.signal.aborted]).toEqual([503, true]);
    await Promise.resolve();
    expect([exchange.response?.status, host.inFlight, late, isDropped]).toEqual([503, 0, [], true]);
  });

  it('is never timed out without a handlerTimeout', () => {
    const host = hostWith();
    const { exchange, owner } = made();
    exchange.admit(host, RequestBody.EMPTY);
    exchange.settle(host, new Promise(() => {}), owner);
    expect(exchange.timeOut(Number.MAX_VALUE)).toBe(false);
  });

  it('answers OPTIONS of the server as a whole without a handler (RFC 9110 §9.3.7)', () => {
    const host = hostWith();
    const { exchange } = made('*');
    expect(exchange.admit(host, RequestBody.EMPTY)).toBeUndefined();
    expect([exchange.response?.status, host.inFlight]).toEqual([204, 0]);
  });

  it('releases its body, its response and what hangs on its request', () => {
    const host = hostWith();
    const { exchange, owner } = made();
    const released: string[] = [];
    const request = exchange.admit(host, RequestBody.EMPTY) as Request;
    request.onEnd(() => released.push('request'));
    exchange.body = { close: () => released.push('body') };
    const stream = { async *[Symbol.asyncIterator]() {}, destroy: () => void released.push('response') };
    exchange.settle(host, Response.stream('text/plain', stream), owner);
    exchange.release();
    expect(released.toSorted()).toEqual(['body', 'request', 'response']);
  });

  it('has a request for `onError` even when it was never admitted', () => {
    expect(made('/refused').exchange.asRequest().path).toBe('/refused');
  });
});
