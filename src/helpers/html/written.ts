/**
 * Values as HTML, by the place they stand in.
 *
 * @module
 */
import { escapedMarkup } from '../../http/escaped.ts';
import { badHtml, isHandler, type Place } from './template.ts';
import { BLOCKED_URL, isScriptUrl, isUrlAttribute } from './url.ts';

/** How far a piece of HTML is trusted: as markup; as a value in a script too; anywhere. */
export type Trust = 'markup' | 'json' | 'raw';

/** A piece of HTML, as `written` needs it. */
export interface Piece {
  readonly text: string;
  readonly trust: Trust;
}

/** What could leave its declaration, load something, or hide what follows; html/template of Go refuses the same. */
const UNSAFE_CSS = /["'()/;@[\\\]`{}<>\0]|--/;
/** What is written instead: a browser drops the declaration. */
const BLOCKED_CSS = 'blocked';

/** Text, which may come from anybody. */
export function writtenText(text: string, place: Place, number: number): string {
  switch (place) {
    case 'text':
    case 'attribute':
    case 'url':
      return escapedMarkup(text);
    case 'style':
      return UNSAFE_CSS.test(text) ? BLOCKED_CSS : escapedMarkup(text);
    case 'srcdoc':
      return escapedMarkup(escapedMarkup(text)); // the page in the frame is parsed once more
    case 'comment':
      return escapedMarkup(text).replaceAll('-', '&#45;');
    default:
      if (text === '' && (place === 'tag' || place === 'tag-name')) return '';
      throw badHtml(`value ${number} is text ${REFUSALS[place]}`);
  }
}

const REFUSALS = {
  code: 'in a script or style sheet: write html.json(value) into a script, or put the value into a data- attribute',
  'code-attribute': 'in an attribute that is a script: write html.json(value), or put the value into a data- attribute',
  tag: 'among attributes: write them as html` name="value"`',
  'tag-name': 'in the name of a tag: only a number may stand there',
} as const;

/** HTML, which is trusted as far as it says. */
export function writtenPiece({ text, trust }: Piece, place: Place, number: number): string {
  switch (place) {
    case 'text':
      return text;
    case 'attribute':
    case 'url':
      return withoutQuotes(text);
    case 'style':
      return trust === 'raw' ? withoutQuotes(text) : writtenText(text, place, number);
    case 'srcdoc':
      return escapedMarkup(text);
    case 'comment':
      return writtenText(text, place, number);
    case 'tag':
    case 'tag-name':
      if (place === 'tag-name' && !/^(?:$|[\t\n\f\r ])/.test(text)) throw badHtml(`value ${number} is HTML ${REFUSALS[place]}`);
      return trust === 'raw' ? text : checkedAttributes(text, number);
    default:
      if (trust === 'markup') throw badHtml(`value ${number} is HTML ${REFUSALS[place]}`);
      return place === 'code' ? text : withoutQuotes(text);
  }
}

/** So that HTML cannot end the attribute in which it stands. What is escaped in it stays as it is. */
function withoutQuotes(text: string): string {
  return text.replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

/** Attributes made by a template of their own: each with quotes, none that is a script or a style, no URL that would run. */
function checkedAttributes(text: string, number: number): string {
  const attribute = /([\t\n\f\r ]*)([^\t\n\f\r "'<>/=]+)(="[^"]*"|='[^']*')?(?![^\t\n\f\r ])/y;
  const end = text.trimEnd().length;
  let out = '';
  while (attribute.lastIndex < end) {
    const [, space = '', name = '', value = ''] = attribute.exec(text) ?? [];
    if (name === '') throw badHtml(`value ${number} stands among attributes, and is not like name="value"`);
    if (/^(?:style|srcdoc)$/i.test(name) || isHandler(name.toLowerCase())) {
      throw badHtml(`value ${number} holds the attribute ${name}: write it in the tag itself`);
    }
    const isBlocked = isUrlAttribute(name.toLowerCase()) && isScriptUrl(value.slice(2, -1));
    out += space + name + (isBlocked ? `="${BLOCKED_URL}"` : value);
  }
  return out;
}
