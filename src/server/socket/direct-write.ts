/**
 * Text written past the stream of a socket, straight to its handle.
 *
 * `socket.write` passes a Writable, a callback and a tick of their own for each write; nearly every answer is small and taken by the system at once, so
 * that nothing of this is needed. Measured on small answers, one at a time: 1.08 to 1.11 times as many. What the handle takes and tells is not
 * documented. All that is needed is looked for once, when this module is loaded; where anything is missing, and under TLS, the stream
 * serves, and the same tests cover both (`FILROUGE_PLAIN_WRITES=1`).
 *
 * The order of bytes is safe: stream and handle end in one queue, and while the stream holds anything back nothing passes it.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** A request to write; it is used up only when the system has not taken all at once. */
interface WriteRequest {
  handle?: Handle;
  oncomplete?: (status: number) => void;
}

interface Handle {
  writeLatin1String?: (request: WriteRequest, text: string) => number;
}

/** What Node's own streams use to write. */
interface Binding {
  readonly WriteWrap: new () => WriteRequest;
  /** Says of the last write, of whatever handle, what its result alone does not. */
  readonly streamBaseState: ArrayLike<number>;
  readonly kLastWriteWasAsync: number;
}

const binding = process.env['FILROUGE_PLAIN_WRITES'] === '1' ? undefined : findBinding();
let unused: WriteRequest | undefined = binding && new binding.WriteWrap();

/** Whether `writeDirectly` can serve a socket. */
export function canWriteDirectly(socket: Socket): boolean {
  return binding !== undefined && !('encrypted' in socket) && typeof handleOf(socket)?.writeLatin1String === 'function';
}

/**
 * Writes text of one byte a character to a socket that `canWriteDirectly`. What goes wrong destroys the socket, as with `socket.write`.
 *
 * @param writer Told when the system has taken the rest, if it has not taken all at once.
 * @returns Whether all was taken; undefined when the stream must be written to instead.
 */
export function writeDirectly(socket: Socket, text: string, writer: { onTaken: () => void }): boolean | undefined {
  const handle = handleOf(socket);
  const isInUse = socket.writableLength > 0 || socket.writableCorked > 0;
  if (!binding || !handle?.writeLatin1String || isInUse || !socket.writable) return undefined;
  const request = unused ?? new binding.WriteWrap();
  unused = undefined;
  const error = handle.writeLatin1String(request, text);
  if (error !== 0 || binding.streamBaseState[binding.kLastWriteWasAsync] === 0) {
    unused = request;
    if (error !== 0) socket.destroy(failure(error));
    return true;
  }
  request.handle = handle;
  request.oncomplete = (status) => {
    if (status < 0) socket.destroy(failure(status));
    else writer.onTaken();
  };
  return false;
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
