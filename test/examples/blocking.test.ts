import { describe, expect, it } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

describe('blocking', () => {
  it('answers others while handlers block, and 503 where one never returns, with its line in the log', async () => {
    const port = await freePort();
    const program = start('.build/examples/blocking.js', { PORT: String(port) });
    await accepting(port);
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://localhost:${port}${path}`);
      return [response.status, await response.text()];
    };
    const stuck = Promise.all([get('/loop'), get('/regex')]);
    expect(await get('/')).toEqual([200, 'hello\n']);
    const [status, text] = await get('/disk');
    expect([status, text.split('\n')[0]]).toEqual([200, expect.stringMatching(/^Filesystem/)]);
    expect(await stuck).toEqual([
      [503, 'The request took too long'],
      [503, 'The request took too long'],
    ]);
    await program.prints(
      /GET "\/loop" has taken \d{4,} ms and stands at forEver \(examples\/blocking\.ts:\d+:\d+\); its thread is replaced/,
    );
    await program.prints(
      /GET "\/regex" has taken \d{4,} ms and stands at answer \(examples\/blocking\.ts:\d+:\d+\); its thread is replaced/,
    );
    expect(await get('/')).toEqual([200, 'hello\n']);
  });
});
