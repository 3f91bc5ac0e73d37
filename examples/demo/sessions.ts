/** The sessions of the demo: sealed cookies, so that all workers know a visitor without asking anybody. */
import { randomBytes } from 'node:crypto';
import { createSessions, type Sessions } from 'filrouge';

export interface Visitor {
  user: string;
  /** When the login was. */
  since: string;
  /** How often the members' page was looked at. */
  looks: number;
}

// All workers must have the same secret. This line runs in the primary first, and workers inherit its environment: they find it set. A secret of
// your own lasts longer than this run of the server, and so do the sessions.
const secret = (process.env['SESSION_SECRET'] ??= randomBytes(32).toString('base64url'));

export const sessions: Sessions<Visitor> = createSessions<Visitor>({ secret });
