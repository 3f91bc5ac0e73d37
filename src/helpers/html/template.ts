/**
 * Where the values of a template stand, found once for each template by walking its own text as a browser does (HTML §13.2.5, its tokenizer).
 *
 * A value can only be written safely when it is known what reads it: the parser of HTML alone, or behind it that of URLs, of CSS or of scripts.
 * Every template begins and ends in the text of an element, so that one within another changes nothing of what follows.
 *
 * @module
 */
import { withCode } from '../../http/errors/error-codes.ts';
import { isScriptUrl, isUrlAttribute } from './url.ts';

/**
 * What reads a value: `code` is a script or a style sheet, `code-attribute` one in an attribute, as of onclick; `tag` is among the attributes of
 * a tag, `tag-name` within its name or right behind it.
 */
export type Place = 'text' | 'attribute' | 'url' | 'srcdoc' | 'style' | 'code' | 'code-attribute' | 'tag' | 'tag-name' | 'comment';

/** A value's place in its template. */
export interface Hole {
  readonly place: Place;
  /** Characters of the template that stand before it in its attribute. */
  readonly lead: number;
  /** Whether another value stands before it in the same attribute. */
  readonly isContinued: boolean;
  /** What the template says after it in the same attribute, up to the next value. */
  tail: string;
}

type State =
  | 'text'
  | 'open'
  | 'tag-name'
  | 'tag'
  | 'name'
  | 'after-name'
  | 'before-value'
  | 'unquoted'
  | 'quoted'
  | 'raw-text'
  | 'comment'
  | 'declaration';

/** Elements without elements in them: whether their text is code, which knows no entities. */
const RAW_TEXT: ReadonlyMap<string, boolean> = new Map([
  ['script', true],
  ['style', true],
  ['xmp', true],
  ['iframe', true],
  ['noembed', true],
  ['noframes', true],
  ['plaintext', true],
  ['title', false],
  ['textarea', false],
]);
/** Characters of the template that a message quotes. */
const QUOTED = 30;
const QUOTES_TWICE = 'a value stands in quotes in a script: html.json writes its own';

/** The places of a template's values. @throws TypeError (code `bad-html`) when one has a place where nothing is safe, or the end is inside a tag. */
export function holesOf(parts: readonly string[]): readonly Hole[] {
  const walk = new Walk();
  const holes: Hole[] = [];
  for (const [index, part] of parts.entries()) {
    if (typeof part !== 'string') throw badHtml('a template holds a broken escape, such as \\u without its digits');
    walk.read(part, holes.at(-1));
    if (index < parts.length - 1) holes.push(walk.hole(index + 1, part));
  }
  walk.end();
  return holes;
}

/** The error for a mistake in a template or a value. */
export function badHtml(why: string): TypeError {
  return withCode(new TypeError(`Cannot write HTML: ${why}`), 'bad-html');
}

/** Walks the parts of one template. */
class Walk {
  #state: State = 'text';
  #tag = '';
  #isEndTag = false;
  #attribute = '';
  #quote = '';
  /** The value of the attribute so far, without the values of the template. */
  #literal = '';
  /** The last value in this attribute. */
  #held: Hole | undefined;

  read(part: string, before: Hole | undefined): void {
    if (before?.place === 'tag' && !/^(?:$|[\t\n\f\r />])/.test(part)) {
      throw badHtml(`a value among attributes is followed by ${JSON.stringify(part.slice(0, QUOTED))}`);
    }
    if (before?.place === 'comment' && /^-?!?>/.test(part)) {
      throw badHtml('a value stands at the end of a comment that is not closed by "-->"');
    }
    if (before && this.#isStringInScript(before.place, part[0])) throw badHtml(QUOTES_TWICE);
    let at = 0;
    while (at < part.length) at = this.#step(part, at);
  }

  /** The place of the value that comes now. */
  hole(number: number, part: string): Hole {
    const place = this.#place();
    if (place === undefined) throw badHtml(`value ${number}, after ${JSON.stringify(part.slice(-QUOTED))}, ${this.#complaint()}`);
    if (this.#isStringInScript(place, part.at(-1))) throw badHtml(QUOTES_TWICE);
    const hole: Hole = { place, lead: this.#literal.length, isContinued: this.#held !== undefined, tail: '' };
    if (this.#state === 'quoted') this.#held = hole;
    if (this.#state === 'after-name') this.#state = 'tag';
    return hole;
  }

  end(): void {
    if (this.#state !== 'text') {
      throw badHtml(`a template ends inside ${this.#state === 'comment' ? 'a comment' : `<${this.#tag}`}: close it there`);
    }
  }

  #place(): Place | undefined {
    switch (this.#state) {
      case 'text':
      case 'comment':
      case 'tag-name':
      case 'tag':
        return this.#state;
      case 'after-name':
        return 'tag';
      case 'raw-text':
        return RAW_TEXT.get(this.#tag) ? 'code' : 'text';
      case 'quoted':
        return this.#attributePlace();
      default:
        return undefined;
    }
  }

  #attributePlace(): Place | undefined {
    if (isHandler(this.#attribute)) return 'code-attribute';
    if (this.#attribute === 'srcdoc' || this.#attribute === 'style') return this.#attribute;
    if (!isUrlAttribute(this.#attribute)) return 'attribute';
    if (isScriptUrl(this.#literal)) return undefined; // what JSON says in quotes could leave them as %22
    return /[:/?#]/.test(this.#literal) ? 'attribute' : 'url'; // what leads to the place is decided, or the value has a say in it
  }

  /** Whether a character beside a value in a script is a quote, and not that of the attribute. */
  #isStringInScript(place: Place, beside: string | undefined): boolean {
    if (beside === undefined || !'"\'`'.includes(beside)) return false;
    return place === 'code' || (place === 'code-attribute' && beside !== this.#quote);
  }

  #complaint(): string {
    switch (this.#state) {
      case 'before-value':
      case 'unquoted':
        return `is an attribute without quotes: write ${this.#attribute}="\${…}"`;
      case 'name':
        return 'is within the name of an attribute: names are yours; before a whole attribute put a space';
      case 'open':
        return 'is the name of a tag: names are yours';
      case 'quoted':
        return 'is within a URL that is a script: call it from a script of the page';
      default:
        return 'is within a declaration';
    }
  }

  /** Goes on from `at`, by at least one character or one state. @returns Where to go on. */
  #step(part: string, at: number): number {
    switch (this.#state) {
      case 'text':
        return this.#text(part, at);
      case 'tag-name':
        return this.#name(part, at, 'tag');
      case 'tag':
        return this.#inTag(part, at);
      case 'name':
        return this.#name(part, at, 'after-name');
      case 'after-name':
        return this.#afterName(part, at);
      case 'before-value':
        return this.#beforeValue(part, at);
      case 'unquoted':
        return this.#until(part, endOf(part, at, /[\t\n\f\r >]/g), 'tag');
      case 'quoted':
        return this.#quoted(part, at);
      case 'raw-text':
        return this.#rawText(part, at);
      case 'comment':
        return this.#comment(part, at);
      default: // a declaration, which a value cannot precede
        return this.#until(part, part.indexOf('>', at) + 1 || part.length + 1, 'text');
    }
  }

  /** Goes to a place, and into a state unless the part ends before it. */
  #until(part: string, to: number, state: State): number {
    if (to > part.length) return part.length;
    this.#state = state;
    return to;
  }

  #text(part: string, at: number): number {
    const open = part.indexOf('<', at);
    if (open === -1) return part.length;
    if (part.startsWith('<!--', open)) return this.#openComment(part, open + 4);
    this.#isEndTag = part[open + 1] === '/';
    const name = open + (this.#isEndTag ? 2 : 1);
    const first = part[name];
    if (first === undefined) this.#state = 'open';
    else if (/[a-z]/i.test(first)) this.#state = 'tag-name';
    else if (this.#isEndTag ? first !== '>' : /[!?]/.test(first)) this.#state = 'declaration'; // of the kinds that browsers drop, too
    this.#tag = '';
    return name;
  }

  #openComment(part: string, at: number): number {
    const [empty] = /^-?>/.exec(part.slice(at)) ?? []; // <!--> and <!---> are whole comments
    if (empty === undefined) this.#state = 'comment';
    return at + (empty?.length ?? 0);
  }

  #comment(part: string, at: number): number {
    return this.#until(part, endOf(part, at, /--!?>/g, true), 'text');
  }

  /** The name of a tag or of an attribute. */
  #name(part: string, at: number, then: State): number {
    const end = endOf(part, at + (then === 'tag' ? 0 : 1), then === 'tag' ? /[\t\n\f\r />]/g : /[\t\n\f\r />=]/g);
    const name = part.slice(at, end).toLowerCase();
    if (then === 'tag') this.#tag += name;
    else this.#attribute = name;
    if (end < part.length) this.#state = then;
    return Math.min(end, part.length);
  }

  #inTag(part: string, at: number): number {
    const next = endOf(part, at, /[^\t\n\f\r /]/g);
    if (next >= part.length) return part.length;
    if (part[next] === '>') return this.#closeTag(next);
    this.#state = 'name';
    return next;
  }

  #closeTag(at: number): number {
    this.#state = !this.#isEndTag && RAW_TEXT.has(this.#tag) ? 'raw-text' : 'text';
    return at + 1;
  }

  #afterName(part: string, at: number): number {
    const next = endOf(part, at, /[^\t\n\f\r ]/g);
    if (next >= part.length) return part.length;
    this.#state = part[next] === '=' ? 'before-value' : 'tag';
    return part[next] === '=' ? next + 1 : next;
  }

  #beforeValue(part: string, at: number): number {
    const next = endOf(part, at, /[^\t\n\f\r ]/g);
    const first = part[next];
    if (first === undefined) return part.length;
    if (first === '>') return this.#closeTag(next);
    this.#literal = '';
    this.#held = undefined;
    this.#quote = first;
    this.#state = first === '"' || first === "'" ? 'quoted' : 'unquoted';
    return this.#state === 'quoted' ? next + 1 : next;
  }

  #quoted(part: string, at: number): number {
    const end = part.indexOf(this.#quote, at);
    const literal = part.slice(at, end === -1 ? part.length : end);
    this.#literal += literal;
    if (this.#held) this.#held.tail = literal;
    if (end === -1) return part.length;
    this.#state = 'tag';
    return end + 1;
  }

  #rawText(part: string, at: number): number {
    const end = part.indexOf('</', at);
    if (end === -1) return part.length;
    const after = end + 2 + this.#tag.length;
    if (part.slice(end + 2, after).toLowerCase() !== this.#tag || !/[\t\n\f\r />]/.test(part[after] ?? '')) return end + 2;
    this.#isEndTag = true;
    this.#state = 'tag';
    return after;
  }
}

/** Whether an attribute is a script: onclick, and hx-on:click of htmx. */
export function isHandler(attribute: string): boolean {
  return /^(?:data-)?(?:hx-)?on/.test(attribute);
}

/** Where an expression matches from `at` on, or ends to; beyond the end of the part when it does not. */
function endOf(part: string, at: number, expression: RegExp, isAfter = false): number {
  expression.lastIndex = at;
  const found = expression.exec(part);
  if (!found) return part.length + 1;
  return found.index + (isAfter ? found[0].length : 0);
}
