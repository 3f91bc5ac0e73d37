/**
 * Writes text and bytes straight to the handle of a socket, bypassing its stream.
 *
 * `socket.write` costs a pass through a Writable, a callback and a tick for each write; nearly every answer is small and accepted by the
 * system at once, so that none of this is needed. Measured on small answers, one at a time: 1.08 to 1.11 times as many. The interface of
 * the handle is not documented. Everything needed is looked up once, when this module is loaded; where anything is missing, and under TLS,
 * the stream is used, and the same tests cover both (`FILROUGE_PLAIN_WRITES=1`).
 *
 * The order of bytes is safe: stream and handle feed one queue, and nothing bypasses the stream while it holds anything back.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** A write request; it is used up only when the system has not accepted everything at once. */
interface WriteRequest {
  handle?: Handle;
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive until they have been accepted. */
  buffer?: Uint8Array;
}

interface Handle {
  readonly writeQueueSize?: number;
  writeLatin1String?: (request: WriteRequest, text: string) => number;
  writeBuffer?: (request: WriteRequest, bytes: Uint8Array) => number;
}

/** The binding through which Node's own streams write. */
interface Binding {
  readonly WriteWrap: new () => WriteRequest;
  /** Details of the last write, on any handle, that its result does not include. */
  readonly streamBaseState: ArrayLike<number>;
  readonly kLastWriteWasAsync: number;
}

const binding = process.env['FILROUGE_PLAIN_WRITES'] === '1' ? undefined : findBinding();
let unused: WriteRequest | undefined = binding && new binding.WriteWrap();

/** Whether `writeDirectly` supports a socket. */
export function canWriteDirectly(socket: Socket): boolean {
  const handle = handleOf(socket);
  return (
    binding !== undefined &&
    !('encrypted' in socket) &&
    typeof handle?.writeLatin1String === 'function' &&
    typeof handle.writeBuffer === 'function'
  );
}

/**
 * Writes bytes, or text of one byte per character, to a socket that `canWriteDirectly`. An error destroys the socket, as with `socket.write`.
 *
 * @param writer Notified when the system has accepted the rest, if it has not accepted everything at once.
 * @returns Whether everything was accepted; undefined when the stream must be written to instead.
 */
export function writeDirectly(socket: Socket, data: string | Uint8Array, writer: { onTaken: () => void }): boolean | undefined {
  const handle = handleOf(socket);
  const isInUse = socket.writableLength > 0 || socket.writableCorked > 0;
  if (!binding || !handle?.writeLatin1String || !handle.writeBuffer || isInUse || !socket.writable) return undefined;
  const request = unused ?? new binding.WriteWrap();
  unused = undefined;
  const error = typeof data === 'string' ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data);
  if (error !== 0 || binding.streamBaseState[binding.kLastWriteWasAsync] === 0) {
    unused = request;
    if (error !== 0) socket.destroy(failure(error));
    return true;
  }
  request.handle = handle;
  if (typeof data !== 'string') request.buffer = data;
  request.oncomplete = (status) => {
    if (status < 0) socket.destroy(failure(status));
    else writer.onTaken();
  };
  return false;
}

/** Bytes of all writes that the system has not accepted yet; 0 where the handle does not say. */
export function queuedIn(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { readonly _handle?: Handle | null })._handle;
}

function failure(error: number): Error {
  return new Error(`Cannot write to the connection: error ${error} of the system`);
}

function findBinding(): Binding | undefined {
  try {
    const found = (process as unknown as { readonly binding: (name: string) => Partial<Binding> }).binding('stream_wrap');
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = found;
    if (typeof WriteWrap !== 'function' || typeof kLastWriteWasAsync !== 'number') return undefined;
    return streamBaseState?.[kLastWriteWasAsync] === undefined ? undefined : { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return undefined; // forbidden (--permission), or no longer there
  }
}
