/**
 * Makes a `ws` WebSocket of a connection whose 101 has been written already.
 *
 * `ws` has one public way to take a connection: `handleUpgrade`, which looks at a request and writes the 101 itself. So it is shown the
 * handshake that was accepted, in its smallest form, and what it writes while it is looking goes nowhere.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** What is used of a WebSocket of `ws`: our declarations must not need those of another package. */
export interface Frames {
  readonly OPEN: number;
  readonly readyState: number;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): unknown;
  ping(): void;
  pause(): void;
  resume(): void;
  close(code: number, reason?: string): void;
  terminate(): void;
}

/** How long the peer may take to answer our close before the connection is cut, ms. */
const CLOSE_TIMEOUT = 10_000;
/** Fragments of one message: `ws` allows 16 times as many, each of which holds on to the read it came with. */
const MIN_FRAGMENTS = 1024;
/** Reads of one frame, for the same reason. TCP segments of old tunnels bring 536 bytes each. */
const MIN_CHUNKS = 1024;

/** The server that was used last. */
let last: { readonly limit: number; readonly server: WebSocketServer } | undefined;

/**
 * Takes a connection.
 *
 * @param head What came behind the handshake.
 * @param key The Sec-WebSocket-Key of the handshake.
 * @returns Undefined when the client has already left; the socket is then destroyed.
 */
export function adoptSocket(socket: Duplex, head: Uint8Array, key: string, maxMessageSize: number): Frames | undefined {
  const request = { method: 'GET', headers: { upgrade: 'websocket', 'sec-websocket-key': key, 'sec-websocket-version': '13' } };
  let adopted: Frames | undefined;
  const write: unknown = Reflect.get(socket, 'write');
  socket.write = swallow;
  try {
    const rest = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
    serverFor(maxMessageSize).handleUpgrade(request as unknown as IncomingMessage, socket, rest, (ws) => {
      adopted = ws; // with `binaryType` as it is, the data of a message is a Buffer
    });
  } finally {
    Reflect.set(socket, 'write', write); // deleting it would cost 1.7 KiB for each socket, and make all of its properties slow
  }
  return adopted;
}

/** A server of `ws` keeps nothing of the connections that it has taken: one serves all with the same limit. */
function serverFor(maxMessageSize: number): WebSocketServer {
  if (last?.limit !== maxMessageSize) {
    const limits = {
      maxPayload: maxMessageSize,
      maxFragments: MIN_FRAGMENTS + Math.floor(maxMessageSize / 4096), // writers with a 4 KiB buffer send one fragment each
      maxBufferedChunks: MIN_CHUNKS + Math.floor(maxMessageSize / 256),
      closeTimeout: CLOSE_TIMEOUT,
    };
    const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, ...limits });
    last = { limit: maxMessageSize, server };
  }
  return last.server;
}

function swallow(): boolean {
  return true;
}
