/** What a visitor sees when something is wrong. */
import { STATUS_CODES } from 'node:http';
import { HttpError, Response } from 'filrouge';
import { isAway } from '../database.ts';
import { page } from '../view.ts';
import type { VisitorSession } from '../visitor.ts';

export function problemPage(session: VisitorSession, status: number, text: string): Response {
  return page(session, 'problem', { title: STATUS_CODES[status] ?? 'Error', text }).withStatus(status);
}

/** Shows the visitor's errors, and a database that is away, as pages. Our own are thrown on to `onError`. */
export function withProblemPage(session: VisitorSession, answer: () => Response): Response {
  try {
    return answer();
  } catch (error) {
    if (error instanceof HttpError) return problemPage(session, error.status, error.message);
    if (isAway(error)) return problemPage(session, 503, 'The shop is closed for a moment. Try again soon.').withHeader('Retry-After', '5');
    throw error;
  }
}

/** For errors that became a 500: plain, so that it cannot fail itself. The visitor learns only that something failed. */
export function lastResort(): Response {
  return Response.html('<!doctype html><html lang="en"><title>Error</title><h1>Something went wrong</h1><p>It has been written down.');
}
