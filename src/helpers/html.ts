/**
 * HTML in template strings, escaped by default.
 *
 * Each template is looked at once, for what reads each of its values; the parts of a template are the same array each time it is evaluated.
 *
 * @module
 */
import { type EscapedHtml, isEscaped, jsonOf } from '../http/body/text.ts';
import { adviceFor, kindOf } from '../http/errors/bad-option.ts';
import { escapedMarkup } from '../http/escaped.ts';
import { isRefusedPromise } from '../process/refused-promise.ts';
import { badHtml, type Hole, holesOf, type Place } from './html/template.ts';
import { BLOCKED_URL, isScriptUrl } from './html/url.ts';
import { type Trust, writtenPiece, writtenText } from './html/written.ts';

/**
 * A piece of HTML that needs no more escaping: what `html` returns.
 *
 * `Response.html` takes it, and so do `html` and JSX of Hono, as this class takes theirs: both mark what is escaped with `isEscaped`.
 */
export class Html {
  /** The mark by which libraries know that it is escaped. */
  readonly isEscaped: true = true;
  /** @internal */
  readonly text: string;
  /** @internal */
  readonly trust: Trust;

  /** @internal */
  constructor(text: string, trust: Trust) {
    this.text = text;
    this.trust = trust;
  }

  /** The HTML as text. */
  toString(): string {
    return this.text;
  }
}

/**
 * What a template can hold: text and numbers are escaped, HTML is not, `null`, `undefined` and `false` are nothing, and of a list each item counts.
 * `true` is a mistake: write `String(isOpen)` for the word.
 */
export type HtmlValue =
  | string
  | number
  | bigint
  | false
  | null
  | undefined
  | EscapedHtml
  | URL
  | URLSearchParams
  | readonly HtmlValue[]
  | Iterable<HtmlValue>;

/** The template tag `html`, and the ways to write what is not text. */
export interface HtmlTag {
  /**
   * @throws TypeError (code `bad-html`) for a value where nothing can be written safely: an attribute without quotes, a script, a style sheet, a
   *   name; and for one that is no text, such as a promise or a plain object.
   */
  (parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html;

  /**
   * HTML that is not escaped: only for what you wrote yourself, or what a sanitizer has made. It is written anywhere, unchecked.
   *
   * @example
   * const article = html`<article>${html.raw(DOMPurify.sanitize(markdownToHtml(text)))}</article>`;
   */
  raw(markup: string): Html;

  /**
   * A value as JSON, for a script: nothing in it can end the script.
   *
   * @throws TypeError (code `not-serializable`) when it has no JSON form.
   * @example
   * const data = html`<script type="application/json" id="data">${html.json({ user, notes })}</script>`;
   */
  json(value: unknown): Html;
}

/**
 * Writes HTML: every value is escaped, unless it is HTML.
 *
 * @example
 * const list = html`<ul>${names.map((name) => html`<li>${name}</li>`)}</ul>`;
 * return Response.html(html`<!doctype html><title>${title}</title>${list}`);
 */
export const html: HtmlTag = /* @__PURE__ */ Object.assign(htmlOf, { raw, json });

/** The places of the values of each template. */
const TEMPLATES: WeakMap<readonly string[], readonly Hole[]> = new WeakMap();

function htmlOf(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const holes = TEMPLATES.get(parts) ?? learn(parts);
  let out = parts[0] as string; // a template has a part more than values
  let start = 0;
  for (let i = 0; i < values.length; i++) {
    const hole = holes[i] as Hole;
    const value = values[i];
    if (hole.place === 'url') {
      if (!hole.isContinued) start = out.length - hole.lead;
      out = withUrl(out, start, textOf(value, 'url', i + 1), hole, value);
    } else {
      out += hole.place === 'text' && typeof value === 'string' ? escapedMarkup(value) : textOf(value, hole.place, i + 1);
    }
    out += parts[i + 1] as string;
  }
  return new Html(out, 'markup');
}

function learn(parts: TemplateStringsArray): readonly Hole[] {
  if (!Array.isArray(parts) || !Array.isArray(parts.raw)) throw badHtml('html is a template tag: write html`…`, or html.raw(text)');
  const holes = holesOf(parts);
  TEMPLATES.set(parts, holes);
  return holes;
}

function raw(markup: string): Html {
  if (typeof markup !== 'string') throw badHtml(`html.raw was given ${kindOf(markup)}, not a string${adviceFor(markup)}`);
  return new Html(markup, 'raw');
}

/** JSON without what means something to the parser of HTML, or, as a line end, to an old one of scripts. */
function json(value: unknown): Html {
  return new Html(
    jsonOf(value).replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
    'json',
  );
}

/** Adds a value to a URL that begins at `start`. The whole is looked at: two values may be a scheme together. */
function withUrl(out: string, start: number, text: string, hole: Hole, value: unknown): string {
  const url = out.slice(start) + text;
  if (!isScriptUrl(url + hole.tail) || (value instanceof Html && value.trust === 'raw')) return out + text;
  return out.slice(0, start) + BLOCKED_URL;
}

function textOf(value: unknown, place: Place, number: number): string {
  switch (typeof value) {
    case 'string':
      return writtenText(value, place, number);
    case 'number':
    case 'bigint':
      return place === 'tag' ? writtenText(String(value), place, number) : String(value);
    case 'undefined':
      return '';
    case 'object':
      return value === null ? '' : textOfObject(value, place, number);
    default:
      if (value === false) return '';
      throw badHtml(
        value === true ? `value ${number} is true: write String(…) for the word` : `value ${number} is a ${typeof value}, not text`,
      );
  }
}

function textOfObject(value: object, place: Place, number: number): string {
  if (value instanceof Html) return writtenPiece(value, place, number);
  if (Array.isArray(value)) return joined(value, place, number);
  if (isEscaped(value)) return writtenPiece(new Html(markupOf(value, number), 'markup'), place, number);
  if (hasText(value)) return writtenText((value as { toString(): string }).toString(), place, number);
  if (Symbol.iterator in value) return joined(value as Iterable<unknown>, place, number);
  throw badHtml(`value ${number} is ${isRefusedPromise(value) ? 'a promise: await it' : 'an object, not text'}`);
}

function joined(values: Iterable<unknown>, place: Place, number: number): string {
  let out = '';
  for (const value of values) out += textOf(value, place, number);
  return out;
}

/** Whether an object has a way of its own to be text, as a URL has. */
function hasText(value: object): boolean {
  return typeof value.toString === 'function' && value.toString !== Object.prototype.toString;
}

/** HTML of another library. What is not a string yet is one later. */
function markupOf(value: EscapedHtml, number: number): string {
  const text: unknown = value.toString();
  if (typeof text === 'string') return text;
  throw badHtml(`value ${number} is HTML that is not there yet: await it`);
}
