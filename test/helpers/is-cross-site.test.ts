import { describe, expect, it } from 'vitest';
import { html, isCrossSite, match, Request, Response, type ServerOptions } from '../../src/index.ts';
import { describeInChromium, launchChromium } from '../support/chromium.ts';
import { serve, talk } from '../support/serve.ts';

const HOST = 'www.example.org';
const sent = (fields: readonly (readonly [string, string])[], secure = true): Request =>
  new Request({ method: 'POST', headers: [['Host', HOST], ...fields], secure });

describe('isCrossSite, by Sec-Fetch-Site (Fetch Metadata §2.3)', () => {
  it.each(['same-origin', 'none'])('is false for %s, whatever Origin says: an old proxy may have changed the host', (site) => {
    expect(isCrossSite(sent([['Sec-Fetch-Site', site]]))).toBe(false);
    expect(
      isCrossSite(
        sent([
          ['Sec-Fetch-Site', site],
          ['Origin', 'http://other.example'],
        ]),
      ),
    ).toBe(false);
  });

  it.each(['cross-site', 'same-site', '', 'Same-Origin', 'unheard-of'])('is true for %j, whatever Origin says', (site) => {
    expect(isCrossSite(sent([['Sec-Fetch-Site', site]]))).toBe(true);
    expect(
      isCrossSite(
        sent([
          ['Sec-Fetch-Site', site],
          ['Origin', `https://${HOST}`],
        ]),
      ),
    ).toBe(true);
  });

  it('is true when one of two fields is foreign', () => {
    expect(
      isCrossSite(
        sent([
          ['Sec-Fetch-Site', 'same-origin'],
          ['Sec-Fetch-Site', 'cross-site'],
        ]),
      ),
    ).toBe(true);
  });
});

describe('isCrossSite, by Origin (RFC 6454 §7)', () => {
  it('is false without either field: that is no browser', () => {
    expect(isCrossSite(sent([]))).toBe(false);
  });

  it('is false for our own origin, with the port of the scheme or without', () => {
    expect(isCrossSite(sent([['Origin', `https://${HOST}`]]))).toBe(false);
    const request = new Request({ headers: { Host: `${HOST.toUpperCase()}:443`, Origin: `https://${HOST}` }, secure: true });
    expect(isCrossSite(request)).toBe(false);
    expect(isCrossSite(new Request({ headers: { Host: 'localhost:8000', Origin: 'http://localhost:8000' } }))).toBe(false);
  });

  it.each([
    'https://other.example',
    'http://www.example.org',
    'https://example.org',
    'https://www.example.org:8443',
    'https://www.example.org.other.example',
    'https://www.example.org/',
    'null',
    '',
  ])('is true for %j', (origin) => {
    expect(isCrossSite(sent([['Origin', origin]]))).toBe(true);
  });

  it('is true when one of two fields is foreign, and when the request names no host', () => {
    expect(
      isCrossSite(
        sent([
          ['Origin', `https://${HOST}`],
          ['Origin', 'https://other.example'],
        ]),
      ),
    ).toBe(true);
    expect(isCrossSite(new Request({ headers: { Origin: 'https://' }, secure: true }))).toBe(true);
  });
});

describe('isCrossSite behind a proxy', () => {
  const asked = `POST / HTTP/1.1\r\nHost: 10.0.0.1:8000\r\nOrigin: https://${HOST}\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ${HOST}\r\nContent-Length: 0\r\n\r\n`;
  const answerTo = async (options: ServerOptions): Promise<string | undefined> => {
    const { port } = await serve((request) => Response.text(String(isCrossSite(request))), options);
    const client = await talk(port);
    client.send(asked);
    const [answer] = await client.answers(1);
    return answer?.body;
  };

  it('compares with what a trusted proxy says, and not with what others say', async () => {
    expect(await answerTo({ trustProxy: ['127.0.0.1'] })).toBe('false');
    expect(await answerTo({})).toBe('true');
  });
});

describeInChromium('isCrossSite in Chromium', { timeout: 30_000 }, () => {
  it('tells a form of ours from one of another origin', async () => {
    let action = '/';
    const { port } = await serve((request) => {
      if (match(request, 'GET /')) return Response.html(html`<form method="post" action="${action}"><button>send</button></form>`);
      return Response.html(html`<p>${String(isCrossSite(request))}</p>`);
    });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const answerTo = async (origin: string): Promise<string | null> => {
        await page.goto(origin);
        await page.click('button');
        return page.textContent('p');
      };
      expect(await answerTo(`http://127.0.0.1:${port}/`)).toBe('false');
      action = `http://127.0.0.1:${port}/`;
      expect(await answerTo(`http://localhost:${port}/`)).toBe('true');
    } finally {
      await browser.close();
    }
  });
});
