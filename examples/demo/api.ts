/** The JSON API. A group is an `if` around its routes; below it, paths are without the prefix. */
import { availableParallelism } from 'node:os';
import { match, type Request, Response } from 'filrouge';
import { allNotes } from './notes.ts';

export function api(request: Request): Response | undefined {
  const inner = request.withoutPrefix('/api');
  if (!inner) return undefined;
  if (match(inner, 'GET /notes')) return Response.json(allNotes());
  if (match(inner, 'GET /facts')) return Response.json(facts());
  return Response.json({ error: 'There is no such thing in this API' }).withStatus(404);
}

/** Figures about this process. */
export function facts(): Record<string, string | number> {
  return {
    pid: process.pid,
    node: process.version,
    cores: availableParallelism(),
    uptime: `${Math.round(process.uptime())} s`,
    memory: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
  };
}
