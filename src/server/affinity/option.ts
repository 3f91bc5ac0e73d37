/**
 * The option `affinity`.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';

/** Names what requests have in common that one worker is to answer. */
export type Affinity = (head: Request) => string | undefined;
