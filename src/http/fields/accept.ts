/**
 * The fields of proactive negotiation: Accept, Accept-Language, Accept-Encoding (RFC 9110 §12.5).
 *
 * Each is a list of ranges with weights. For one thing we offer, the most specific range that matches it decides; 0 refuses.
 *
 * @module
 */
import { qualityOf } from '../accept.ts';
import { trimWhitespace } from '../grammar.ts';
import type { ContentType } from './content-type.ts';

/** Longest field that is looked at; a longer one says nothing. Browsers send about 150 characters. */
const MAX_LENGTH = 4096;
/** What an unnamed `identity` is worth: acceptable, but after every coding that has a weight (RFC 9110 §12.4.2: three digits at most). */
const UNNAMED_IDENTITY = 0.0001;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** One member of such a list. */
export interface WeightedRange {
  /** Lower case: `text/html`, `text/*`, `fr-ca`, `gzip`, `*`. */
  readonly range: string;
  /** Those before the weight, by lower-case name; of Accept only. */
  readonly parameters: ReadonlyMap<string, string>;
  /** From 0 (refused) to 1. */
  readonly quality: number;
}

/**
 * Reads the list of one of these fields.
 *
 * @param value All lines of the field, joined by commas.
 * @returns Its members; `undefined` when the client does not say: no field, or one too long to be meant.
 */
export function parseWeightedRanges(value: string | undefined): readonly WeightedRange[] | undefined {
  if (value === undefined || value.length > MAX_LENGTH) return undefined;
  const ranges: WeightedRange[] = [];
  for (const member of splitOutsideQuotes(value, ',')) {
    const [name = '', ...parameters] = splitOutsideQuotes(member, ';').map(trimWhitespace);
    if (name === '') continue; // RFC 9110 §5.6.1.2: empty members are ignored
    ranges.push({ range: name.toLowerCase(), parameters: mediaParameters(parameters), quality: qualityOf(parameters) });
  }
  return ranges;
}

/**
 * How much a client wants a media type (RFC 9110 §12.5.1). Most specific first: `text/html;level=1`, `text/html`, `text/*`, all.
 *
 * @param offer A type we have. A range with parameters is only for types that have the same.
 * @returns From 0 to 1.
 */
export function mediaTypeQuality(ranges: readonly WeightedRange[], offer: ContentType): number {
  const major = `${offer.type.slice(0, offer.type.indexOf('/'))}/*`;
  return qualityOfBest(ranges, ({ range, parameters }) => {
    if (range === '*/*') return 1;
    if (range === major) return 2;
    if (range !== offer.type) return 0;
    for (const [name, value] of parameters) {
      if (offer.parameters.get(name)?.toLowerCase() !== value.toLowerCase()) return 0;
    }
    return 3 + parameters.size;
  });
}

/**
 * How much a client wants a language (RFC 9110 §12.5.4).
 *
 * Basic filtering (RFC 4647 §3.3.1): the range `fr` is for `fr-CA` as well. When no range is for the tag itself, lookup (RFC 4647 §3.4): who wants
 * `en-US` takes `en`. A refusal is never widened: `en-US;q=0` does not refuse `en`.
 *
 * @param tag A language tag we have, in any case.
 * @returns From 0 to 1.
 */
export function languageQuality(ranges: readonly WeightedRange[], tag: string): number {
  const offer = tag.toLowerCase();
  if (ranges.some(({ range }) => isPrefixOf(range, offer))) {
    return qualityOfBest(ranges, ({ range }) => (isPrefixOf(range, offer) ? range.length : 0));
  }
  const narrower = ranges.filter(({ range, quality }) => quality > 0 && isPrefixOf(offer, range));
  if (narrower.length > 0) return Math.max(...narrower.map(({ quality }) => quality));
  return ranges.find(({ range }) => range === '*')?.quality ?? 0;
}

/**
 * How much a client wants a content coding (RFC 9110 §12.5.3).
 *
 * `identity`, no coding at all, is acceptable unless it is refused, itself or by `*;q=0`.
 *
 * @param coding A coding we can make, in any case.
 * @returns From 0 to 1.
 */
export function encodingQuality(ranges: readonly WeightedRange[], coding: string): number {
  const offer = canonicalCoding(coding.toLowerCase());
  const named = ranges.find(({ range }) => canonicalCoding(range) === offer) ?? ranges.find(({ range }) => range === '*');
  return named?.quality ?? (offer === 'identity' ? UNNAMED_IDENTITY : 0);
}

function qualityOfBest(ranges: readonly WeightedRange[], specificityOf: (range: WeightedRange) => number): number {
  let best = 0;
  let quality = 0;
  for (const range of ranges) {
    const specificity = specificityOf(range);
    if (specificity <= best) continue;
    best = specificity;
    quality = range.quality;
  }
  return quality;
}

/** Whether a language range is for a tag: the same, or the same up to a hyphen (RFC 4647 §3.3.1). */
function isPrefixOf(range: string, tag: string): boolean {
  return tag.startsWith(range) && (tag.length === range.length || tag.charCodeAt(range.length) === 0x2d) /* - */;
}

/** RFC 9110 §8.4.1: `x-gzip` and `x-compress` are old names. */
function canonicalCoding(coding: string): string {
  return coding === 'x-gzip' || coding === 'x-compress' ? coding.slice(2) : coding;
}

/** The parameters of the media type itself: what follows the weight was an extension once, and says nothing. */
function mediaParameters(parameters: readonly string[]): ReadonlyMap<string, string> {
  let found: Map<string, string> | undefined;
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const name = parameter.slice(0, Math.max(equals, 0)).toLowerCase();
    if (name === 'q') break;
    if (equals === -1) continue;
    const value = parameter.slice(equals + 1);
    found ??= new Map();
    if (!found.has(name)) found.set(name, value.startsWith('"') ? value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : value);
  }
  return found ?? NO_PARAMETERS;
}

/** Splits a list, but not inside quoted strings (RFC 9110 §5.6.4). */
function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator);
  return text.match(separator === ',' ? /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g : /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
}
