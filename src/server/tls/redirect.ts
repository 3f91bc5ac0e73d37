/**
 * The handler of the port in the clear beside TLS: sends every client to the same address under https, and serves the challenges of ACME.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Handler } from '../../exchange/respond.ts';
import type { Request } from '../../http/request.ts';
import { Response } from '../../http/response.ts';
import type { ConnectionGate } from '../connection-gate.ts';
import { Drain } from '../drain.ts';
import { Listener } from '../listener.ts';
import { Service } from '../service.ts';
import type { RedirectOptions } from './options.ts';

/** The port in the clear, listening. */
export interface Redirect {
  close(timeout: number): Promise<void>;
}

const CHALLENGES = '/.well-known/acme-challenge/';
/** A token is base64url (RFC 8555 §8.3): it cannot lead anywhere else. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;
const HTTPS = 443;
/** Nobody reads the body of a request that is redirected, bytes. */
const MAX_BODY = 64 * 1024;

/**
 * Listens on the second port, if there is to be one.
 *
 * It is a server of its own, with the limits of the other, whose connections count with those of the other.
 *
 * @param port The port that the server with TLS listens on.
 * @throws The error of the system.
 */
export async function listenInTheClear(
  secure: Service,
  gate: ConnectionGate,
  port: () => number | undefined,
): Promise<Redirect | undefined> {
  const { options } = secure;
  const redirect = options.tls?.redirect;
  if (!redirect) return undefined;
  const own = { ...options, tls: undefined, path: undefined, port: redirect.port, streamBody: undefined, maxBodySize: MAX_BODY };
  const service = new Service(redirectTo(redirect, port), own);
  const listener = new Listener(service, gate);
  try {
    await listener.listen();
  } catch (error) {
    service.clock.stop();
    throw error;
  }
  const end = new Drain(service, listener);
  return { close: (timeout) => end.within(timeout) };
}

function redirectTo({ to, acme }: RedirectOptions, port: () => number | undefined): Handler {
  return (request) => {
    if (acme !== undefined && request.path.startsWith(CHALLENGES)) return challenge(acme, request.path.slice(CHALLENGES.length));
    return redirected(request, to ?? port() ?? HTTPS);
  };
}

async function challenge(webroot: string, token: string): Promise<Response> {
  if (!TOKEN.test(token)) return Response.empty(404);
  try {
    return new Response(await readFile(join(webroot, CHALLENGES, token)), { headers: { 'Content-Type': 'application/octet-stream' } });
  } catch {
    return Response.empty(404);
  }
}

/** 308 keeps method and body: a form that is sent to http arrives at https. */
function redirected(request: Request, port: number): Response {
  const host = request.host?.replace(/:\d*$/, '');
  if (!host) return Response.text('There is no host to redirect to').withStatus(400);
  const target = request.target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/'); // absolute-form comes from proxies (RFC 9112 §3.2.2)
  return Response.redirect(`https://${host}${port === HTTPS ? '' : `:${port}`}${target}`, 308);
}
