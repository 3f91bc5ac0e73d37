/** The sessions of the demo: sealed cookies, so that every worker recognises a visitor without asking another. */
import { randomBytes } from 'node:crypto';
import { createSessions, type Sessions } from 'filrouge';

export interface Visitor {
  user: string;
  /** Time of the login. */
  since: string;
  /** How often the members' page was viewed. */
  looks: number;
}

// All workers must have the same secret. This line runs in the primary first, and workers inherit its environment, so they find it set. A secret of
// your own outlasts this run of the server, and so do the sessions.
const secret = (process.env['SESSION_SECRET'] ??= randomBytes(32).toString('base64url'));

export const sessions: Sessions<Visitor> = createSessions<Visitor>({ secret });
