/** The limit over real worker processes. FILROUGE_RATE_REQUESTS=10000 makes the full run. */
import { Agent, request as send } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Program, shared, start } from '../../support/program.ts';
import { talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const REQUESTS = Number(process.env['FILROUGE_RATE_REQUESTS'] ?? 500);
const LIMIT = 100;

interface Tally {
  readonly passed: number;
  readonly refused: number;
  /** Requests without an answer: their worker died. */
  readonly lost: number;
  readonly workers: ReadonlySet<string>;
}

async function limited(workers = 4): Promise<{ program: Program; origin: string }> {
  const program = start('test/helpers/rate-limit/fixtures/limited.mjs', { WORKERS: String(workers), LIMIT: String(LIMIT) });
  return { program, origin: await originOf(program) };
}

async function originOf(program: Program): Promise<string> {
  const [, origin = ''] = await program.prints(/listening on (http\S+)/);
  return origin;
}

/** Sends requests at once, each over a connection of its own, so that all workers get some. */
async function storm(origin: string, path: string, onAnswer: (worker: string, nth: number) => void = () => {}): Promise<Tally> {
  const agent = new Agent({ connections: 128, pipelining: 1 });
  onTestFinished(() => agent.destroy());
  const workers = new Set<string>();
  let [passed, refused, lost] = [0, 0, 0];
  const one = async (): Promise<void> => {
    try {
      const { statusCode, headers, body } = await send(origin + path, { dispatcher: agent, reset: true });
      await body.dump();
      workers.add(String(headers['x-worker']));
      if (statusCode === 200) passed++;
      else if (statusCode === 429) refused++;
      else throw new TypeError(`status ${statusCode}`);
      onAnswer(String(headers['x-worker']), passed + refused);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      lost++;
    }
  };
  await Promise.all(Array.from({ length: REQUESTS }, one));
  return { passed, refused, lost, workers };
}

describe('a limit over four workers', () => {
  const program = shared(async () => (await limited()).program);

  it.each(['/first', '/second', '/third'])('lets exactly as many through as it says, run %s', async (path) => {
    const { passed, refused, lost, workers } = await storm(await originOf(program()), path);
    expect({ passed, refused, lost }).toEqual({ passed: LIMIT, refused: REQUESTS - LIMIT, lost: 0 });
    expect(workers.size).toBeGreaterThan(1);
  });

  it('survives the death of a worker: at most as many pass, and all that is left is refused by its successor', async () => {
    const origin = await originOf(program());
    let killed = '';
    const { passed, refused, lost } = await storm(origin, '/killed', (worker, nth) => {
      if (nth !== LIMIT / 2) return;
      killed = worker;
      process.kill(Number(worker), 'SIGKILL');
    });
    expect(killed).not.toBe('');
    expect(passed).toBeLessThanOrEqual(LIMIT);
    expect(passed + refused + lost).toBe(REQUESTS);
    expect(passed + lost).toBeGreaterThanOrEqual(LIMIT);
    await program().prints(/its successor starts/);
    const after = await storm(origin, '/killed');
    expect(after.passed + passed).toBeLessThanOrEqual(LIMIT);
    expect(after.lost).toBe(0);
  });
});

it('is told and reset by any worker for all of them', async () => {
  const { origin } = await limited(2);
  const counts: unknown[] = [];
  for (const act of ['hit', 'hit', 'peek', 'hit', 'peek', 'reset', 'peek', 'hit']) {
    const response = await fetch(`${origin}/a?act=${act}`, { headers: { Connection: 'close' } });
    counts.push(await response.json());
  }
  expect(counts).toEqual([1, 2, 2, 3, 3, null, 0, 1]);
});

describe('a worker whose primary does not answer', () => {
  it('counts by itself, instead of keeping the client waiting', async () => {
    const { program, origin } = await limited(1);
    await fetch(`${origin}/pid`); // the primary has let a connection in
    program.child.kill('SIGSTOP');
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) statuses.push((await fetch(`${origin}/alone`)).status);
    expect(statuses).toEqual([200, 200]);
    program.child.kill('SIGCONT');
  });

  it('answers what it was asked when the primary is killed', async () => {
    const { program, origin } = await limited(1);
    const client = await talk(Number(new URL(origin).port));
    client.send('GET /pid HTTP/1.1\r\nHost: a\r\n\r\n');
    const [{ body: worker } = { body: '' }] = await client.answers(1);
    program.child.kill('SIGSTOP');
    client.send('GET /orphan HTTP/1.1\r\nHost: a\r\n\r\n');
    await program.prints(/asked for \/orphan/);
    program.child.kill('SIGKILL');
    expect((await client.answers(2))[1]?.status).toBe(200);
    client.end();
    await until(
      () => (isRunning(Number(worker)) ? undefined : true),
      () => 'the end of the worker',
    );
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
