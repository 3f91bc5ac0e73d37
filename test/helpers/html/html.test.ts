import { html as honoHtml, raw as honoRaw } from 'hono/html';
import { jsx } from 'hono/jsx';
import { describe, expect, it } from 'vitest';
import { type Html, type HtmlValue, html, Response } from '../../../src/index.ts';

const shown = (page: Html): string => String(page);
/** A value that the types would refuse. */
const wrong = (value: unknown): HtmlValue => value as HtmlValue;

/** What a call throws, as code and message. */
function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code}: ${message}`;
  }
  return 'nothing';
}

describe('html', () => {
  it('escapes what means something in text and in quotes', () => {
    expect(shown(html`<p title="${`a"b'c`}">${'<b>&amp;</b>'}</p>`)).toBe('<p title="a&quot;b&#39;c">&lt;b&gt;&amp;amp;&lt;/b&gt;</p>');
  });

  it('leaves the text of the template as it is, letters beyond ASCII included', () => {
    expect(shown(html`<p>é & ü "x"</p>${'\u{1f9f5}'}`)).toBe('<p>é & ü "x"</p>\u{1f9f5}');
  });

  it('writes numbers, and nothing for null, undefined and false', () => {
    expect(shown(html`${0} ${-1.5} ${10n} ${Number.NaN}|${null}${undefined}${false}${''}|`)).toBe('0 -1.5 10 NaN||');
  });

  it('nests, and does not escape twice', () => {
    const name = '<ada>';
    expect(shown(html`<ul>${html`<li>${name}</li>`}</ul>`)).toBe('<ul><li>&lt;ada&gt;</li></ul>');
  });

  it('joins lists, deep ones and sets and generators too, each item by its kind', () => {
    function* items(): Generator<HtmlValue> {
      yield html`<br>`;
      yield '<';
    }
    expect(shown(html`${['<', html`<br>`, [1, null, ['>']]]}|${new Set(['a', '&'])}|${items()}`)).toBe('&lt;<br>1&gt;|a&amp;|<br>&lt;');
  });

  it('writes a URL and its parameters as text', () => {
    expect(
      shown(html`<a href="${new URL('http://a.example/?b=1&c=%22')}">x</a><a href="?${new URLSearchParams({ q: 'a&b', r: '1' })}">y</a>`),
    ).toBe('<a href="http://a.example/?b=1&amp;c=%22">x</a><a href="?q=a%26b&amp;r=1">y</a>');
  });

  it('looks at a template once, and gives each evaluation its own values', () => {
    const row = (name: string): Html => html`<i>${name}</i>`;
    expect(['a', '<'].map((name) => shown(row(name)))).toEqual(['<i>a</i>', '<i>&lt;</i>']);
  });

  it('makes attributes of a template of their own, or none', () => {
    const box = (isOn: boolean): Html => html`<input type="checkbox"${isOn && html` checked title="${'"'}"`}>`;
    expect([shown(box(true)), shown(box(false))]).toEqual(['<input type="checkbox" checked title="&quot;">', '<input type="checkbox">']);
  });

  it('keeps HTML within an attribute from ending it', () => {
    expect(shown(html`<p title="${html`<a href="x">'${'"'}</a>`}">`)).toBe('<p title="<a href=&quot;x&quot;>&#39;&quot;</a>">');
  });

  it('lets a number end the name of a tag', () => {
    expect(shown(html`<h${2}>${'<'}</h${2}>`)).toBe('<h2>&lt;</h2>');
  });

  it('writes a comment that a value cannot end', () => {
    expect(shown(html`<!-- ${'--><script>'} --><p>`)).toBe('<!-- &#45;&#45;&gt;&lt;script&gt; --><p>');
  });

  it('knows text areas and titles as text, whatever tags they hold', () => {
    expect(shown(html`<title>a <b title='</title><textarea rows="2">${'</textarea>'}</textarea>`)).toBe(
      `<title>a <b title='</title><textarea rows="2">&lt;/textarea&gt;</textarea>`,
    );
  });
});

describe('html.raw and html.json', () => {
  it('writes raw HTML as it is, scripts and styles included', () => {
    expect(shown(html`${html.raw('<b>x</b>')}<style>${html.raw('a > b { }')}</style><p style="${html.raw('width: calc(1px)')}">`)).toBe(
      '<b>x</b><style>a > b { }</style><p style="width: calc(1px)">',
    );
  });

  it('writes JSON into a script that nothing in it can end', () => {
    const value = { text: '</script><!--<script>&\u2028', n: [1] };
    const page = shown(html`<script type="application/json">${html.json(value)}</script>`);
    const inside = /^<script type="application\/json">(.*)<\/script>$/.exec(page)?.[1] ?? '';
    expect(inside).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(inside)).toEqual(value);
  });

  it('writes JSON into an attribute that is a script', () => {
    expect(shown(html`<button onclick="go(${html.json(`'"</`)})">`)).toBe('<button onclick="go(&quot;&#39;\\&quot;\\u003c/&quot;)">');
  });

  it('refuses a value without a JSON form, and raw HTML that is no text', () => {
    expect(thrownBy(() => html.json(undefined))).toContain('not-serializable: Cannot make JSON: undefined has no JSON form');
    expect(thrownBy(() => html.raw(null as never))).toBe('bad-html: Cannot write HTML: html.raw was given null, not a string');
  });
});

describe('URLs in html', () => {
  it.each([
    ['https://a.example/?b'],
    ['mailto:a@a.example'],
    ['tel:+331'],
    ['/a:b'],
    ['?next=javascript:'],
    ['#javascript:alert(1)'],
    ['a/javascript:b'],
    ['data:image/png;base64,AAAA'],
    [''],
  ])('lets %j pass', (url) => {
    expect(shown(html`<a href="${url}">`)).toBe(`<a href="${url}">`);
  });

  it.each([
    ['javascript:alert(1)'],
    ['JaVaScRiPt:alert(1)'],
    [' \u0001javascript:alert(1)'],
    ['java\nscr\tipt\r:alert(1)'],
    ['javascript\n:alert(1)'],
    ['javascript://a.example/%0aalert(1)'],
    ['vbscript:msgbox(1)'],
    ['data:text/html,<script>alert(1)</script>'],
    ['data:,alert(1)'],
    ['data: text/javascript,alert(1)'],
  ])('blocks %j', (url) => {
    expect(shown(html`<a HREF = "${url}">`)).toBe('<a HREF = "about:invalid#blocked">');
    expect(shown(html`<form action='${url}'><button formaction="${url}">`)).toBe(
      `<form action='about:invalid#blocked'><button formaction="about:invalid#blocked">`,
    );
  });

  it('blocks a scheme put together of several values, and of a value and the template', () => {
    expect(shown(html`<a href="${'java'}${'script:alert(1)'}" id="x">`)).toBe('<a href="about:invalid#blocked" id="x">');
    expect(shown(html`<a href="${'java'}script:alert(1)" class="b">`)).toBe('<a href="about:invalid#blockedscript:alert(1)" class="b">');
    expect(shown(html`<a href="java${'script'}${':alert(1)'}">`)).toBe('<a href="about:invalid#blocked">');
    expect(shown(html`<a href="${['java', 'script:alert(1)']}">`)).toBe('<a href="about:invalid#blocked">');
  });

  it('leaves a value alone behind a path, a query or a scheme of the template', () => {
    expect(shown(html`<a href="/x/${'javascript:'}"><a href="?u=${'javascript:'}"><a href="https://a/${'javascript:'}">`)).toBe(
      '<a href="/x/javascript:"><a href="?u=javascript:"><a href="https://a/javascript:">',
    );
    expect(shown(html`<a href="${'/x'}/${'javascript:'}">`)).toBe('<a href="/x/javascript:">');
  });

  it('blocks it in attributes that a template of their own makes, and not in raw ones', () => {
    expect(shown(html`<a${html` href="${'/a'}" id="b"`}>`)).toBe('<a href="/a" id="b">');
    expect(shown(html`<a${html` id="b" src='/' href="${'/a'}" class="${'c'}"`}>`)).toBe(`<a id="b" src='/' href="/a" class="c">`);
    expect(shown(html`<a${html` HREF="${'x'}${'javascript:1'}"`}${html` b="${'javascript:1'}"`}>`)).toBe(
      '<a HREF="xjavascript:1" b="javascript:1">',
    );
    const bad = 'javascript:1';
    expect(shown(html`<a ${html`${html.raw('href')}="${bad}"`}>`)).toBe('<a href="about:invalid#blocked">');
    expect(shown(html`<a href="${html.raw('javascript:go()')}">`)).toBe('<a href="javascript:go()">');
  });
});

describe('styles and frames in html', () => {
  it('lets a value of CSS pass, and blocks one that could leave its declaration', () => {
    expect(shown(html`<p style="width: ${12.5}%; color: ${'#b3261e'}; font: ${'bold 1rem serif'}">`)).toBe(
      '<p style="width: 12.5%; color: #b3261e; font: bold 1rem serif">',
    );
    expect(shown(html`<p style="color: ${'red; background: url(//a.example)'}">`)).toBe('<p style="color: blocked">');
    expect(shown(html`<p style="color: ${html`${'url(//a.example)'}`}">`)).toBe('<p style="color: blocked">');
  });

  it('escapes for the page in a frame as well', () => {
    expect(shown(html`<iframe srcdoc="${'<b>'}"></iframe><iframe srcdoc="${html`<p>${'<b>'}</p>`}"></iframe>`)).toBe(
      '<iframe srcdoc="&amp;lt;b&amp;gt;"></iframe><iframe srcdoc="&lt;p&gt;&amp;lt;b&amp;gt;&lt;/p&gt;"></iframe>',
    );
  });
});

describe('a place where nothing can be written safely', () => {
  const x = 'x';
  it.each<[string, () => unknown, string]>([
    [
      'an attribute without quotes',
      () => html`<a href=${x}>`,
      'value 1, after "<a href=", is an attribute without quotes: write href="${…}"',
    ],
    [
      'half an attribute without quotes',
      () => html`<a class=a${x}>`,
      'value 1, after "<a class=a", is an attribute without quotes: write class="${…}"',
    ],
    [
      'the name of an attribute',
      () => html`<a data-${x}="1">`,
      'value 1, after "<a data-", is within the name of an attribute: names are yours; before a whole attribute put a space',
    ],
    ['a name before its value', () => html`<a ${false}="1">`, 'a value among attributes is followed by "=\\"1\\">"'],
    ['text among attributes', () => html`<a ${x}>`, 'value 1 is text among attributes: write them as html` name="value"`'],
    ['attributes without quotes', () => html`<a ${html`b=${x}`}>`, 'value 1 stands among attributes, and is not like name="value"'],
    [
      'a script among attributes',
      () => html`<a ${html`onclick="${x}"`}>`,
      'value 1 holds the attribute onclick: write it in the tag itself',
    ],
    ['the name of a tag', () => html`<${x}>`, 'value 1, after "<", is the name of a tag: names are yours'],
    ['the end of the name of a tag', () => html`<s${x}>`, 'value 1 is text in the name of a tag: only a number may stand there'],
    [
      'a script',
      () => html`<script>f(${x})</script>`,
      'value 1 is text in a script or style sheet: write html.json(value) into a script, or put the value into a data- attribute',
    ],
    [
      'HTML in a script',
      () => html`<SCRIPT>f(${html`a`})</SCRIPT>`,
      'value 1 is HTML in a script or style sheet: write html.json(value) into a script, or put the value into a data- attribute',
    ],
    ['JSON in quotes', () => html`<script>f("${html.json(x)}")</script>`, 'a value stands in quotes in a script: html.json writes its own'],
    [
      'JSON behind a quote',
      () => html`<script>f("${html.json(x)} more")</script>`,
      'a value stands in quotes in a script: html.json writes its own',
    ],
    [
      'JSON in other quotes',
      () => html`<a onclick="f('${html.json(x)}')">`,
      'a value stands in quotes in a script: html.json writes its own',
    ],
    ['HTML in the name of a tag', () => html`<s${html`cript`}>`, 'value 1 is HTML in the name of a tag: only a number may stand there'],
    [
      'a style sheet',
      () => html`<style>${x}</style>`,
      'value 1 is text in a script or style sheet: write html.json(value) into a script, or put the value into a data- attribute',
    ],
    [
      'an attribute that is a script',
      () => html`<a onclick="${x}">`,
      'value 1 is text in an attribute that is a script: write html.json(value), or put the value into a data- attribute',
    ],
    [
      'one of htmx',
      () => html`<a hx-on:click="${x}">`,
      'value 1 is text in an attribute that is a script: write html.json(value), or put the value into a data- attribute',
    ],
    [
      'a URL that is a script',
      () => html`<a href="javascript:f(${x})">`,
      'value 1, after "<a href=\\"javascript:f(", is within a URL that is a script: call it from a script of the page',
    ],
    ['a declaration', () => html`<!doctype ${x}>`, 'value 1, after "<!doctype ", is within a declaration'],
    ['the end of a comment', () => html`<!--${x}>`, 'a value stands at the end of a comment that is not closed by "-->"'],
    ['a template cut off in a tag', () => html`<a href="${x}"`, 'a template ends inside <a: close it there'],
    ['a template cut off in a script', () => html`<script>`, 'a template ends inside <script: close it there'],
    ['a template cut off in a comment', () => html`<!-- <p>${x}</p>`, 'a template ends inside a comment: close it there'],
    ['a broken escape', () => html`\u`, 'a template holds a broken escape, such as \\u without its digits'],
    ['true', () => html`${wrong(true)}`, 'value 1 is true: write String(…) for the word'],
    ['a promise', () => html`${wrong(Promise.resolve('x'))}`, 'value 1 is a promise: await it'],
    ['a promise of HTML of another library', () => html`${honoHtml`${Promise.resolve('x')}` as never}`, 'value 1 is a promise: await it'],
    ['an object', () => html`${x}${wrong({ isEscaped: true.toString() })}`, 'value 2 is an object, not text'],
    ['an object without prototype', () => html`${wrong(Object.create(null))}`, 'value 1 is an object, not text'],
    ['a function', () => html`${wrong(() => 'x')}`, 'value 1 is a function, not text'],
    ['a call', () => html('<p>' as never), 'html is a template tag: write html`…`, or html.raw(text)'],
  ])('is refused: %s', (_name, write, message) => {
    const told = thrownBy(write);
    expect(told).toBe(`bad-html: Cannot write HTML: ${message}`);
    expect(thrownBy(write)).toBe(told); // each time, not only the first
  });
});

describe('HTML of other libraries', () => {
  it('is taken as it is when they mark it as Hono does', () => {
    expect(shown(html`<p>${honoHtml`<b>${'<'}</b>` as never}${honoRaw('<i>') as never}${jsx('u', {}, '<') as never}</p>`)).toBe(
      '<p><b>&lt;</b><i><u>&lt;</u></p>',
    );
  });

  it('takes ours as it is, in templates of Hono and in its JSX', () => {
    expect(Response.html(honoHtml`<p>${html`<b>${'<'}</b>`}</p>` as never).text()).toBe('<p><b>&lt;</b></p>');
    expect(String(jsx('p', {}, html`<b>x</b>` as never))).toBe('<p><b>x</b></p>');
  });

  it('is escaped when it is a text like any other', () => {
    expect(shown(html`${wrong(new String('<b>'))}`)).toBe('&lt;b&gt;');
  });

  it('cannot be forged by JSON: what says that it is escaped is an object all the same', () => {
    expect(shown(html`${wrong(JSON.parse('{"isEscaped":true}'))}`)).toBe('[object Object]');
    expect(thrownBy(() => html`${wrong(JSON.parse('{"isEscaped":true,"toString":"<script>"}'))}`)).not.toBe('nothing');
    expect(thrownBy(() => html`${wrong(JSON.parse('{"text":"<script>","trust":"raw"}'))}`)).toContain('is an object, not text');
  });
});

describe('Response.html', () => {
  it('takes a text, what html made, what other libraries made, and String objects', () => {
    const bodies = ['<p>', html`<p>${'<'}</p>`, honoHtml`<p>` as never, jsx('p', {}) as never, new String('<p>') as never];
    expect(bodies.map((body) => Response.html(body).text())).toEqual(['<p>', '<p>&lt;</p>', '<p>', '<p></p>', '<p>']);
    expect(Response.html(html`<p>`).header('content-type')).toBe('text/html; charset=utf-8');
    expect(Response.svg(html`<svg></svg>`).text()).toBe('<svg></svg>');
  });

  it('refuses what is neither, and a promise with what is to be done', () => {
    expect(() => Response.html({} as never)).toThrow('Cannot make a response: body is object, not a string');
    expect(() => Response.html(null as never)).toThrow('Cannot make a response: body is null, not a string');
    expect(() => Response.html(['<p>'] as never)).toThrow('Cannot make a response: body is object, not a string');
    expect(() => Response.html(Promise.resolve('<p>') as never)).toThrow('Cannot make a response: body is a promise: await it');
  });
});
