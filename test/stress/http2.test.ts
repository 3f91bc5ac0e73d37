import { type ClientHttp2Session, connect } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerOf, ask } from '../support/http2.ts';
import { until } from '../support/until.ts';
import { figure, residentMemory, startServer } from './support.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'a');

/** A session with a server in a process of its own. */
async function served(): Promise<{ client: ClientHttp2Session; pid: number }> {
  const { program, port } = await startServer({ h2c: true, maxBodySize: 1024 * MIB });
  const client = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 256 * 1024 } });
  client.on('error', () => {}); // the streams tell
  onTestFinished(() => client.destroy());
  await ask(client, '/tiny');
  return { client, pid: program.child.pid ?? 0 };
}

/** The most that a process is seen to hold while something is done, bytes. */
async function peakWhile(pid: number, doing: Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMemory(pid));
  }, 5);
  try {
    await doing;
  } finally {
    clearInterval(timer);
  }
  return peak;
}

describe('a session over HTTP/2', () => {
  it('carries 100 MiB up and 100 MiB down at once, and the server grows by less than 64 MiB', async () => {
    const { client, pid } = await served();
    const before = residentMemory(pid);
    const up = client.request({ ':path': '/count', ':method': 'POST' });
    const answer = answerOf(up);
    let left = 100 * MIB;
    const feed = (): void => {
      for (let isTaken = true; isTaken && left > 0; left -= PIECE.length) isTaken = up.write(PIECE);
      if (left === 0) up.end();
    };
    up.on('drain', feed);
    feed();
    let received = 0;
    const down = client.request({ ':path': '/pieces/1600' });
    down.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    const ended = new Promise((resolve) => down.once('end', resolve));
    const peak = await peakWhile(pid, Promise.all([answer, ended]));
    expect([(await answer).body, received]).toEqual([String(100 * MIB), 100 * MIB]);
    figure(`100 MiB up and down on one session: grew by ${Math.round((peak - before) / MIB)} MiB`);
    expect(peak - before).toBeLessThan(64 * MIB);
  });

  it('is not held up by a stream that is not read, of which no more is made than its window takes', async () => {
    const { client, pid } = await served();
    const before = residentMemory(pid);
    const unread = client.request({ ':path': '/pieces/16000' }); // a GB
    unread.on('error', () => {}); // the server ends first
    unread.pause();
    await new Promise((resolve) => unread.once('response', resolve));
    const made = async (): Promise<number> => Number((await ask(client, '/made')).body);
    let last = -1;
    await until(
      async () => {
        const now = await made();
        const isStill = now === last && now > 0;
        last = now;
        return isStill || undefined;
      },
      () => 'the stream to stand still',
    );
    for (let i = 0; i < 200; i++) expect((await ask(client, '/tiny')).status).toBe(200);
    expect(await made()).toBeLessThan(32); // 64 KiB each
    expect(residentMemory(pid) - before).toBeLessThan(32 * MIB);
    unread.close();
  });

  it('has 100 streams of which one is slow: the 99 others are answered before it', async () => {
    const { client } = await served();
    const slow = ask(client, '/held');
    let isSlowAnswered = false;
    void slow.then(() => {
      isSlowAnswered = true;
    });
    const others = await Promise.all(Array.from({ length: 99 }, () => ask(client, '/tiny')));
    expect([others.filter(({ status }) => status === 200).length, isSlowAnswered]).toEqual([99, false]);
    await ask(client, '/release');
    expect((await slow).status).toBe(200);
  });
});
