import { expect, it, onTestFinished } from 'vitest';
import { Response } from '../../../src/index.ts';
import { websocket } from '../../../src/websocket.ts';
import { Authority } from '../../support/certificates.ts';
import { describeInChromium, launchChromium } from '../../support/chromium.ts';
import { serve } from '../../support/serve.ts';

const PAGE = '<!doctype html><link rel="icon" href="data:,"><title>A page</title>';
/** How the page itself came, and what it asks for afterwards. */
const PROTOCOLS = `fetch('/more').then((answer) => answer.text()).then((more) => [
  performance.getEntriesByType('navigation')[0].nextHopProtocol,
  performance.getEntriesByName(location.origin + '/more')[0].nextHopProtocol,
  more,
])`;
/** Says something, and gives what comes back and the code of the close. */
const CHAT = `new Promise((resolve, reject) => {
  const socket = new WebSocket('wss://' + location.host + '/chat');
  let heard;
  socket.onopen = () => socket.send('hello');
  socket.onmessage = ({ data }) => { heard = data; socket.close(1000); };
  socket.onclose = ({ code }) => resolve([heard, code]);
})`;

describeInChromium('Chromium over TLS', () => {
  it('speaks HTTP/2: the page, what it fetches, and its websocket on the same connection (RFC 8441)', async () => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const ports = new Set<number | undefined>();
    const versions: string[] = [];
    const { port } = await serve(
      (request) => {
        ports.add(request.remotePort);
        versions.push(`${request.path} ${request.httpVersion}`);
        if (request.path === '/chat') return websocket(request, (socket) => socket.onMessage((text) => socket.send(`${String(text)} too`)));
        return request.path === '/' ? Response.html(PAGE) : Response.text(request.httpVersion);
      },
      { tls: authority.issue('main') },
    );
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(`https://localhost:${port}/`);
    expect(await page.evaluate(PROTOCOLS)).toEqual(['h2', 'h2', '2.0']);
    expect(await page.evaluate(CHAT)).toEqual(['hello too', 1000]);
    expect(versions).toEqual(['/ 2.0', '/more 2.0', '/chat 2.0']);
    expect(ports.size).toBe(1);
  }, 60_000);
});
