/**
 * How much a client wants a media type (RFC 9110 §12.5.1).
 *
 * @module
 */
import { trimWhitespace } from './grammar.ts';

/** Longest Accept that is looked at; a longer one says nothing. Browsers send about 150 characters. */
const MAX_LENGTH = 4096;

/**
 * The quality a client gives to a media type: the most specific range that matches decides.
 *
 * @param accept The value of Accept; absent, everything is equally welcome.
 * @param type Lower case, without parameters, as in `text/html`.
 * @returns From 0 (refused) to 1.
 */
export function mediaQuality(accept: string | undefined, type: string): number {
  if (accept === undefined || accept.length > MAX_LENGTH) return 1;
  const major = `${type.slice(0, type.indexOf('/'))}/*`;
  let best = 0;
  let quality = 0;
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map(trimWhitespace);
    const wanted = name.toLowerCase();
    const specificity = wanted === type ? 3 : wanted === major ? 2 : wanted === '*/*' ? 1 : 0;
    if (specificity <= best) continue;
    best = specificity;
    quality = qualityOf(parameters);
  }
  return quality;
}

/** Whether the client would rather read JSON than text: when it names JSON, and ranks it above text or as high and before it. */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const names = accept.toLowerCase();
  const place = names.indexOf('json');
  if (place === -1) return false;
  const json = mediaQuality(accept, 'application/json');
  const text = Math.max(mediaQuality(accept, 'text/plain'), mediaQuality(accept, 'text/html'));
  const textPlace = names.indexOf('text/');
  return json > text || (json === text && json > 0 && (textPlace === -1 || place < textPlace));
}

/** The weight among the parameters of a member (RFC 9110 §12.4.2): from 0 to 1, 1 without one. A malformed weight says nothing. */
export function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameter);
    if (weight) return Number(weight[1]);
  }
  return 1;
}
