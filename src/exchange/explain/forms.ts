/**
 * An explanation as a page, as text and as JSON.
 *
 * @module
 */

import type { FailureForm } from '../../http/errors/failure.ts';
import { escapedBlock } from '../../http/escaped.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import type { Frame } from './frames.ts';
import { pageOf } from './page.ts';

/** The forms of an explanation: those of errors, and `page` for browsers. */
export type ExplanationForm = FailureForm | 'page';

/** The text of an explanation in one of its forms. */
export function explain(form: ExplanationForm, request: Request, thrown: unknown): string {
  const told = explanationOf(request, thrown);
  if (form === 'page') return pageOf(told);
  if (form === 'text') return plainText(told);
  const [{ title, frames }, ...causes] = told.errors;
  const details = {
    error: title,
    stack: frames.map(shownFrame),
    ...(causes.length > 0 && { causes: causes.map((cause) => ({ error: cause.title, stack: cause.frames.map(shownFrame) })) }),
    ...(told.route !== undefined && { route: told.route }),
  };
  return new HttpError(500, undefined, { details }).toResponse(form).text() ?? ''; // it is text: there is no stream
}

function shownFrame({ name, where }: Frame): string {
  return name === '' ? where : `${name} (${where})`;
}

function plainText({ errors, code, method, target, route }: Explanation): string {
  const [first, ...causes] = errors;
  const lines = [first.title, ...first.frames.map((frame) => `    at ${shownFrame(frame)}`)];
  for (const { title, frames } of causes) lines.push(`Caused by ${title}`, ...frames.map((frame) => `    at ${shownFrame(frame)}`));
  if (code) {
    const width = String(code.lines.at(-1)?.number).length;
    lines.push('', code.frame.where);
    for (const { number, text } of code.lines) {
      lines.push(`${number === code.line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`);
    }
  }
  lines.push('', `${method} ${target}${route === undefined ? '' : `, which matched ${route}`}`, '');
  return lines.map(escapedBlock).join('\n');
}
