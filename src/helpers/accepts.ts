/**
 * Content negotiation: which of our representations the client prefers (RFC 9110 §12.5).
 *
 * @module
 */

import { adviceFor, badOption, kindOf } from '../http/errors/bad-option.ts';
import { encodingQuality, languageQuality, mediaTypeQuality, parseWeightedRanges, type WeightedRange } from '../http/fields/accept.ts';
import { type ContentType, parseContentType } from '../http/fields/content-type.ts';
import type { Request } from '../http/request.ts';

/**
 * Chooses among media types by Accept.
 *
 * The most specific range decides how much a type is wanted, `q=0` refuses it, and of equally wanted types the first in our list wins. A
 * client that sends no Accept takes anything.
 *
 * @param request The request to look at.
 * @param types What we can make, best first, as in `['text/html', 'application/json']`.
 * @returns One of `types`, or `undefined` when none is acceptable: answer 406, or send what you have (RFC 9110 §12.5.1 allows both).
 * @throws TypeError (code `bad-option`) when one of `types` is not a media type.
 * @example
 * if (accepts(request, ['text/html', 'application/json']) === 'application/json') return Response.json(note);
 */
export function accepts<const T extends readonly string[]>(request: Request, types: T): T[number] | undefined {
  checkList(types);
  const offers = types.map(checkedType);
  const ranges = rangesOf(request, 'accept');
  if (!ranges || ranges.length === 0) return types[0];
  return best(types, (_, index) => mediaTypeQuality(ranges, offers[index] as ContentType)); // one offer for each type
}

/**
 * Chooses among languages by Accept-Language.
 *
 * A client that asks for `fr` gets `fr-CA`; one that asks for `en-US` gets `en` when that is what there is (RFC 4647 §3.3.1, §3.4).
 *
 * @param request The request to look at.
 * @param languages Language tags, best first, as in `['en', 'fr-CA']`.
 * @returns One of `languages`, or `undefined` when none is acceptable: use your default then.
 * @example
 * const language = acceptsLanguages(request, ['en', 'fr']) ?? 'en';
 */
export function acceptsLanguages<const T extends readonly string[]>(request: Request, languages: T): T[number] | undefined {
  checkList(languages);
  const ranges = rangesOf(request, 'accept-language');
  if (!ranges || ranges.length === 0) return languages[0];
  return best(languages, (language) => languageQuality(ranges, language));
}

/**
 * Chooses among content codings by Accept-Encoding.
 *
 * `identity`, the body as it is, is always acceptable unless the client refuses it. A client that sends no Accept-Encoding is not sent any
 * coding: RFC 9110 §12.5.3 would allow it, but such a client seldom knows one.
 *
 * @param request The request to look at.
 * @param encodings Codings we can make, best first, as in `['br', 'gzip', 'identity']`.
 * @returns One of `encodings`, or `undefined` when none is acceptable.
 * @example
 * if (acceptsEncodings(request, ['gzip']) === 'gzip') return packed;
 */
export function acceptsEncodings<const T extends readonly string[]>(request: Request, encodings: T): T[number] | undefined {
  checkList(encodings);
  const ranges = rangesOf(request, 'accept-encoding') ?? [];
  return best(encodings, (encoding) => encodingQuality(ranges, encoding));
}

/** In a text, each character would pass for an offer. */
function checkList(offers: unknown): void {
  if (!Array.isArray(offers)) throw badOption('Cannot choose an offer', `the offers are ${kindOf(offers)}, not a list${adviceFor(offers)}`);
}

function rangesOf(request: Request, name: string): readonly WeightedRange[] | undefined {
  const lines = request.headerAll(name);
  return parseWeightedRanges(lines.length > 1 ? lines.join(',') : lines[0]); // RFC 9110 §5.3: several lines are one list
}

/** The offer of highest quality; the first among equals. */
function best<T extends readonly string[]>(offers: T, qualityOf: (offer: string, index: number) => number): T[number] | undefined {
  let chosen: T[number] | undefined;
  let highest = 0;
  for (const [index, offer] of offers.entries()) {
    const quality = qualityOf(offer, index);
    if (quality <= highest) continue;
    highest = quality;
    chosen = offer;
  }
  return chosen;
}

function checkedType(type: string): ContentType {
  const parsed = parseContentType(type);
  if (parsed && !parsed.type.includes('*')) return parsed;
  throw badOption(`Cannot accept ${JSON.stringify(type)}`, 'a media type is written as type/subtype');
}
