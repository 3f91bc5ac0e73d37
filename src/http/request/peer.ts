/**
 * Where a request came from: the client, and the server it came to. `R` is the Request, which knows these, not the other way round.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import type { Connection } from '../../process/watching/connection-channels.ts';
import type { Awaitable } from '../awaitable.ts';
import type { ErrorFormat } from '../errors/failure.ts';
import type { HeaderList } from '../header-list.ts';
import type { Response } from '../response.ts';

/** The other end. One object for all requests of a connection, unless a trusted proxy forwards for others. */
export interface Peer<R> {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly secure: boolean;
  /** The certificate that the client has given, and that somebody vouches for whom the server trusts. */
  readonly clientCertificate?: X509Certificate | undefined;
  /** The host that a trusted proxy was asked for. */
  readonly host: string | undefined;
  /** The port it has connected to; undefined where nobody knows: on a unix socket, behind a trusted proxy. */
  readonly port?: number | undefined;
  /** When bytes were last read from it, monotonic ms. */
  readAt: number;
  /** The server it is connected to. */
  readonly server?: PeerServer<R>;
  /** Carries interim responses to it, as long as there is a connection. */
  carrier?: Carrier<R> | undefined;
  /** As those who watch connections know it. */
  connection?: Connection | undefined;
  /** Which of the carrier's requests this one is, where requests have numbers. */
  readonly id?: number;
}

/** Where requests made by hand come from when they do not say: one object for all. */
const NOBODY: Peer<never> = { remoteAddress: undefined, remotePort: undefined, secure: false, host: undefined, readAt: Number.NaN };

/** Whom a request made by hand names. */
interface Named {
  readonly remoteAddress?: string | undefined;
  readonly clientCertificate?: X509Certificate | undefined;
  readonly secure?: boolean | undefined;
}

/** Where a request made by hand is said to come from. A certificate comes over TLS. */
export function peerOf<R>({ remoteAddress, clientCertificate, secure = clientCertificate !== undefined }: Named): Peer<R> {
  if (remoteAddress === undefined && !secure) return NOBODY as Peer<R>;
  return { ...(NOBODY as Peer<R>), remoteAddress, secure, clientCertificate };
}

/** What a request knows of the server it came to. */
export interface PeerServer<R> {
  readonly isStopping: boolean;
  /** Calls a function when the drain begins; at once when it has. What `when` returns takes it back. */
  readonly stopping: { when(call: () => void): () => void };
  readonly options: ErrorAnswers<R>;
  /** Whether it is somebody else's, of whom our handler is a guest. */
  readonly isForeign?: boolean;
}

/** Is told of requests that go wrong, while their body is there. */
export interface RequestRecorder<R> {
  /** @param why An error, or words. @param id The id that it has where it has failed. */
  failed(request: R, why: unknown, id?: string): void;
  /** A request has had its time. @param place Where it stands, when that is known. */
  timedOut(request: R, place?: () => Awaitable<string | undefined>): void;
  slow(request: R, why: string | (() => Promise<string>)): void;
}

/** How a server answers errors. */
export interface ErrorAnswers<R> {
  readonly onError: ((error: unknown, request: R) => Response | void) | undefined;
  readonly errors: ErrorFormat | ((head: R) => ErrorFormat);
  /** Whether a loopback address may be that of the programmer, to whom a 500 is explained. Undefined: nobody's is, as in production. */
  readonly explainsTo?: ((address: string) => boolean) | undefined;
  /** Records requests that fail. Undefined: nobody does. */
  readonly recorder?: RequestRecorder<R> | undefined;
}

/** Carries messages other than the response to a client. */
export interface Carrier<R> {
  /** Sends an interim response (RFC 9110 §15.2) in its turn; does nothing when the final one has begun, or when it would have to wait in memory. */
  sendInterim(request: R, status: number, fields: HeaderList): void;
  /** A pattern has matched: told where the client is in another thread, which has to know it even if the handler never answers. */
  matched?(request: R, route: string): void;
}
