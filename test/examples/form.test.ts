import { beforeEach, describe, expect, it } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

describe('examples/form', () => {
  let origin: string;

  beforeEach(async () => {
    const port = await freePort();
    start('.build/examples/form.js', { PORT: String(port) });
    origin = `http://localhost:${port}`;
    await accepting(port);
  });

  const send = async (body: FormData | URLSearchParams | string): Promise<[status: number, page: string]> => {
    const response = await fetch(origin, { method: 'POST', body });
    return [response.status, await response.text()];
  };

  it('shows text, a number, a list and files that were sent', async () => {
    const form = new FormData();
    for (const [name, value] of [
      ['name', 'Ada <b>'],
      ['age', '36'],
      ['likes', 'tea'],
      ['likes', 'chess'],
    ] as const) {
      form.append(name, value);
    }
    form.append('files', new File(['hello'], 'été "x".txt', { type: 'text/plain' }));
    form.append('files', new File(['{}'], 'b.json', { type: 'application/json' }));
    const [status, page] = await send(form);
    expect(status).toBe(200);
    expect(page).toContain('<h1>Thank you, Ada &lt;b&gt;</h1>');
    expect(page).toContain('<dt>Age<dd>36\n');
    expect(page).toContain('<dt>Likes<dd>tea and chess\n');
    expect(page).toContain('<dt>News<dd>no, thank you\n');
    expect(page).toContain('<li>été &quot;x&quot;.txt, text/plain, 5 bytes<li>b.json, application/json, 2 bytes');
  });

  it('takes the same form urlencoded', async () => {
    const [status, page] = await send(new URLSearchParams({ name: 'Ada', news: 'on' }));
    expect(status).toBe(200);
    expect(page).toContain('<dt>Age<dd>not told\n');
    expect(page).toContain('<dt>Likes<dd>nothing\n');
    expect(page).toContain('<dt>News<dd>yes, please\n');
    expect(page).toContain('<li>none');
  });

  it('brings the page back with what is wrong and with what was typed, as text and not as HTML', async () => {
    const [status, page] = await send(
      new URLSearchParams([
        ['name', '"><script>'],
        ['age', 'old'],
        ['likes', 'chess'],
        ['news', 'on'],
      ]),
    );
    expect(status).toBe(400);
    expect(page).toContain('<p role="alert">Cannot read form: field &quot;age&quot; is not a whole number from 0 on</p>');
    expect(page).toContain('name="name" value="&quot;&gt;&lt;script&gt;"');
    expect(page).toContain('name="age" inputmode="numeric" value="old"');
    expect(page).toContain('value="chess" checked');
    expect(page).not.toContain('value="tea" checked');
    expect(page).toContain('name="news" type="checkbox" checked');
  });

  it('refuses what the page would not send: no name, a choice that is not offered, another type', async () => {
    const [status, page] = await send(new URLSearchParams({ name: ' ' }));
    expect([status, page]).toEqual([400, expect.stringContaining('<p role="alert">Tell us your name</p>')]);
    const [missing, why] = await send(new URLSearchParams({ age: '1' }));
    expect([missing, why]).toEqual([400, expect.stringContaining('field &quot;name&quot; is missing')]);
    const [odd, complaint] = await send(new URLSearchParams({ name: 'Ada', likes: '<i>' }));
    expect([odd, complaint]).toEqual([400, expect.stringContaining('Choose what is in the list')]);
    expect((await send('x'))[0]).toBe(415);
  });
});
