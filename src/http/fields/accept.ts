/**
 * The fields of proactive negotiation: Accept, Accept-Language, Accept-Encoding (RFC 9110 §12.5).
 *
 * Each is a list of ranges with weights. For each thing we offer, the most specific range that matches it decides; 0 refuses it.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';
import type { ContentType } from './content-type.ts';
import { splitOutsideQuotes, unquote } from './list.ts';

/** Longest field that is looked at; a longer one says nothing. Browsers send about 150 characters. */
const MAX_LENGTH = 4096;
/** What an unnamed `identity` is worth: acceptable, but after every coding that has a weight (RFC 9110 §12.4.2: three digits at most). */
const UNNAMED_IDENTITY = 0.0001;
/** From 0 to 1, with up to three digits after the point (RFC 9110 §12.4.2). */
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** One member of such a list. */
export interface WeightedRange {
  /** Lower case: `text/html`, `text/*`, `fr-ca`, `gzip`, `*`. */
  readonly range: string;
  /** Those before the weight, by lower-case name; only Accept has them. */
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
    ranges.push({ range: name.toLowerCase(), parameters: mediaParameters(parameters), quality: weightOf(parameters) });
  }
  return ranges;
}

/**
 * How much a client wants a media type (RFC 9110 §12.5.1). Most specific first: `text/html;level=1`, `text/html`, `text/*`, everything.
 *
 * @param offer A type we have. A range with parameters matches only types that have the same ones.
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
 * Whether a client would rather read JSON than text: it names JSON, and ranks it above text or equal to text and before it.
 *
 * @param accept All lines of Accept, joined by commas.
 */
export function prefersJson(accept: string | undefined): boolean {
  const ranges = parseWeightedRanges(accept) ?? [];
  const place = ranges.findIndex(({ range }) => range.includes('json'));
  if (place === -1) return false;
  const json = qualityAsNamed(ranges, 'application/json');
  const text = Math.max(qualityAsNamed(ranges, 'text/plain'), qualityAsNamed(ranges, 'text/html'));
  const textPlace = ranges.findIndex(({ range }) => range.startsWith('text/'));
  return json > text || (json === text && json > 0 && (textPlace === -1 || place < textPlace));
}

/** The quality of a type; where only variants of it are named, such as `application/json;charset=utf-8`, that of the first of these. */
function qualityAsNamed(ranges: readonly WeightedRange[], type: string): number {
  const named = ranges.filter(({ range }) => range === type);
  const variant = named.find(({ parameters }) => parameters.size === 0) ?? named[0];
  return mediaTypeQuality(ranges, { type, parameters: variant?.parameters ?? NO_PARAMETERS });
}

/**
 * How much a client wants a language (RFC 9110 §12.5.4).
 *
 * Basic filtering (RFC 4647 §3.3.1): the range `fr` matches `fr-CA` as well. When no range matches the tag itself, lookup (RFC 4647 §3.4): a client
 * that asks for `en-US` takes `en`. A refusal is never widened: `en-US;q=0` does not refuse `en`.
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

/** Whether a language range matches a tag: it is the tag, or the tag up to a hyphen (RFC 4647 §3.3.1). */
function isPrefixOf(range: string, tag: string): boolean {
  return tag.startsWith(range) && (tag.length === range.length || tag.charCodeAt(range.length) === 0x2d) /* - */;
}

/** `x-gzip` and `x-compress` are old names of `gzip` and `compress` (RFC 9110 §8.4.1). */
function canonicalCoding(coding: string): string {
  return coding === 'x-gzip' || coding === 'x-compress' ? coding.slice(2) : coding;
}

/** The weight among the parameters of a member: 1 without one. A malformed weight says nothing. */
function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const weight = WEIGHT.exec(parameter);
    if (weight) return Number(weight[1]);
  }
  return 1;
}

/** The parameters of the media type itself: what follows the weight was once an extension, and says nothing (RFC 9110 §12.5.1). */
function mediaParameters(parameters: readonly string[]): ReadonlyMap<string, string> {
  let found: Map<string, string> | undefined;
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const name = parameter.slice(0, Math.max(equals, 0)).toLowerCase();
    if (name === 'q') break;
    if (equals === -1) continue;
    found ??= new Map();
    if (!found.has(name)) found.set(name, unquote(parameter.slice(equals + 1)));
  }
  return found ?? NO_PARAMETERS;
}
