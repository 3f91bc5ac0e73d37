/**
 * What attackers write, in every place where a template can hold text, read by a browser: nothing runs, and no element or attribute is there that
 * the template has not written. The texts are of the kinds of OWASP's XSS Filter Evasion and XSS Prevention cheat sheets.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Html, html, Response } from '../../../src/index.ts';
import { describeInChromium, launchChromium } from '../../support/chromium.ts';

const ATTACKS = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=data:,alert(1)></SCRIPT>',
  '<img src=x onerror=alert(1)>',
  '<img src="x` `<script>alert(1)</script>"` `>',
  '<<script>alert(1);//\\<</script>',
  '<svg/onload=alert(1)>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<iframe src=javascript:alert(1)></iframe>',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  '<body onload=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<input autofocus onfocus=alert(1)>',
  '<math><mtext></p><style><img src=x onerror=alert(1)></style>',
  '<meta http-equiv="refresh" content="0;url=data:text/html,<script>alert(1)</script>">',
  '<base href="javascript:alert(1)//">',
  '<style>@import "data:text/css,*{x:1}";</style>',
  '"><script>alert(1)</script>',
  "'><script>alert(1)</script>",
  '" onmouseover="alert(1)" x="',
  "' autofocus onfocus='alert(1)",
  '` onmouseover=alert(1) `',
  ' onmouseover=alert(1) ',
  '"/autofocus/onfocus="alert(1)',
  '\u0000"><script>alert(1)</script>',
  '\u00a0onfocus=alert(1)',
  '</title><script>alert(1)</script>',
  '</textarea><script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '<!--<script>',
  '--><script>alert(1)</script><!--',
  '--!><script>alert(1)</script>',
  '><script>alert(1)</script>',
  ']]><script>alert(1)</script>',
  '<![CDATA[<script>alert(1)</script>]]>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&#60;script&#62;alert(1)&#60;/script&#62;',
  '&#x22; onfocus=alert(1) autofocus x=&#x22;',
  '\ud83c<script>alert(1)</script>',
  '\uff1cscript\uff1ealert(1)\uff1c/script\uff1e',
  '+ADw-script+AD4-alert(1)+ADw-/script+AD4-',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  ' \u0001\u001f javascript:alert(1)',
  'javascript&colon;alert(1)',
  '&#106;avascript:alert(1)',
  'jav&#x09;ascript:alert(1)',
  'javascript://%0aalert(1)',
  'vbscript:alert(1)',
  'data:text/html,<script>parent.alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD5wYXJlbnQuYWxlcnQoMSk8L3NjcmlwdD4=',
  'red; background: url(javascript:alert(1))',
  'red;}</style><script>alert(1)</script>',
  'expression(alert(1))',
  '");alert(1);//',
  "');alert(1);//",
  '\\");alert(1);//',
  '\u2028alert(1)\u2029',
] as const;

/** One text in every place. The elements are marked, so that any other is somebody else's. */
function everywhere(text: string): Html {
  return html`<section data-own>
    <p data-own class="text">${text}</p>
    <p data-own title="${text}" class='${text}' data-text="a ${text} b">${html`<b data-own>${[text, text]}</b>`}</p>
    <p data-own lang="en"${html` title="${text}"`}>x</p>
    <a data-own href="${text}">x</a><a data-own href="/${text}">x</a><a data-own href=" ${text}">x</a><a data-own href='${text.slice(0, 4)}${text.slice(4)}'>x</a>
    <a data-own ${html`href="${text}"`}>x</a>
    <form data-own action="${text}"><button data-own formaction="${text}">x</button><input data-own name="${text}" value="${text}"><textarea data-own>${text}</textarea></form>
    <svg data-own><a data-own xlink:href="${text}"><text data-own>${text}</text></a></svg>
    <iframe data-own src="${text}"></iframe><iframe data-own srcdoc="${text}"></iframe><iframe data-own srcdoc="${html`<p>${text}</p>`}"></iframe>
    <object data-own data="${text}"></object><img data-own src="${text}" alt="${text}">
    <p data-own style="color: ${text}">x</p>
    <button data-own onclick="void ${html.json(text)}">x</button>
    <script data-own>void ${html.json(text)};</script>
    <!-- ${text} --><!--${text}-->
    <p data-own>the end</p>
  </section>`;
}

describeInChromium('what attackers write', { timeout: 30_000 }, () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
    await page.addInitScript('globalThis.alert = () => { top.hits = (top.hits ?? 0) + 1; }');
    await page.route('**', (route) => {
      const index = /^http:\/\/a\.test\/(\d+|raw)$/.exec(route.request().url())?.[1];
      if (index === undefined) return route.fulfill({ status: 404, body: '' });
      const content = index === 'raw' ? html.raw('<img src=x onerror=alert(1)>') : everywhere(ATTACKS[Number(index)] ?? '');
      const response = Response.html(html`<!doctype html><title data-own>${ATTACKS[Number(index)]}</title>${content}`);
      return route.fulfill({ contentType: response.header('content-type') ?? '', body: response.text() ?? '' });
    });
  });
  afterAll(() => browser.close());

  /** What is in the page that the template has not written, and what would run when it is used. */
  const FOREIGN = `(() => {
    const found = [];
    const look = (document) => {
      for (const element of document.querySelectorAll('body *')) {
        if (!element.hasAttribute('data-own') && element.ownerDocument === globalThis.document) found.push(element.outerHTML);
        for (const { name, value } of element.attributes) {
          if (/^on/.test(name) && !(element.localName === 'button' && value.startsWith('void "'))) found.push(name + '=' + value);
        }
        for (const url of [element.href, element.action, element.formAction, element.src, element.data]) {
          if (/^[\\s\\0-\\x1f]*(?:javascript|vbscript|data):/i.test(url?.baseVal ?? url ?? '')) found.push(url?.baseVal ?? url);
        }
        if (element.localName === 'iframe' && element.hasAttribute('srcdoc')) {
          for (const inner of element.contentDocument.querySelectorAll('body *')) if (inner.localName !== 'p' || inner.attributes.length > 0) found.push('framed: ' + inner.outerHTML);
        }
        if (element.style?.background || element.style?.backgroundImage) found.push(element.outerHTML);
      }
    };
    look(document);
    if (document.querySelector('section > p:last-of-type')?.textContent !== 'the end') found.push('the end is elsewhere');
    for (const button of document.querySelectorAll('button')) button.dispatchEvent(new Event('click', { cancelable: true, bubbles: false }));
    for (const element of document.querySelectorAll('*')) for (const type of ['mouseover', 'focus']) element.dispatchEvent(new Event(type));
    return { found, hits: top.hits ?? 0 };
  })()`;

  it('is found when it is written unescaped, so that this test can see it', async () => {
    await page.goto('http://a.test/raw');
    await page.waitForFunction('top.hits > 0');
    expect((await page.evaluate<{ found: string[] }>(FOREIGN)).found).toContain('<img src="x" onerror="alert(1)">');
  });

  it.each(ATTACKS.map((text, index) => [JSON.stringify(text), text, index] as const))('does nothing: %s', async (_name, text, index) => {
    await page.goto(`http://a.test/${index}`);
    expect(await page.evaluate(FOREIGN)).toEqual({ found: [], hits: 0 });
    const read = text.replaceAll('\0', '\ufffd').replaceAll(/[\ud800-\udfff]/g, '\ufffd');
    expect(await page.textContent('p.text')).toBe(text.includes('\0') ? read.replaceAll('\ufffd', '') : read); // NUL is dropped in text
    expect(await page.textContent('title')).toBe(read);
  });
});
