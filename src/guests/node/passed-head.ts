/**
 * The head of a request of ours as node:http is to see it.
 *
 * @module
 */
import { METHODS } from 'node:http';
import { withoutConnection } from '../../exchange/outgoing.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { encodePath } from '../../http/target.ts';

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/** @throws HttpError 501 for a method that node:http does not know. */
export function checkMethod({ method }: Request): void {
  if (!KNOWN_METHODS.has(method)) throw new HttpError(501, `node:http does not know the method ${method}`);
}

/** The canonical target, so that others route on what our guards have seen. */
export function targetOf(request: Request): string {
  if (request.path === '*') return '*';
  return encodePath(request.path) + (request.rawQuery === '' ? '' : `?${request.rawQuery}`);
}

/** The fields as they came, in their order, with the framing of this hop. @param connection Its Connection, and what goes with it. */
export function fieldsOf(request: Request, connection: readonly string[]): string[] {
  const flat = ['Host', request.host ?? ''];
  for (const [name, value] of withoutConnection(request.headers)) {
    const key = name.toLowerCase();
    if (key !== 'expect' && key !== 'host') flat.push(name, value);
  }
  const { size } = request.body;
  const mayHaveBody = size !== 0 || request.header('content-length') !== undefined || request.header('transfer-encoding') !== undefined;
  if (mayHaveBody) flat.push(...(size < 0 ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(size)]));
  flat.push(...connection);
  return flat;
}
