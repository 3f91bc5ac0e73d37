/**
 * URLs that a page would run as a script.
 *
 * @module
 */

/** Attributes that a browser follows, loads or sends to. Pictures in a srcset run nothing. */
const URL_ATTRIBUTES: ReadonlySet<string> = new Set([
  'action',
  'background',
  'cite',
  'codebase',
  'data',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'manifest',
  'poster',
  'src',
  'xlink:href',
]);

/** What is written instead of a URL that would run: it leads nowhere. */
export const BLOCKED_URL = 'about:invalid#blocked';

/** Whether an attribute holds a URL. @param name In lower case. */
export function isUrlAttribute(name: string): boolean {
  return URL_ATTRIBUTES.has(name);
}

/**
 * Whether a URL is a script to the page that holds it: `javascript:`, `vbscript:`, and `data:` unless it is a picture, a sound, a film or a font.
 *
 * Browsers drop tabs and line ends anywhere, and control characters and spaces in front (URL §4.4); here all of them go.
 */
export function isScriptUrl(url: string): boolean {
  const colon = url.indexOf(':');
  if (colon === -1) return false;
  const scheme = url
    .slice(0, colon)
    .replaceAll(/[\x00-\x20]/g, '')
    .toLowerCase();
  if (scheme === 'data') return !/^\s*(?:image|audio|video|font)\//i.test(url.slice(colon + 1));
  return scheme === 'javascript' || scheme === 'vbscript';
}
