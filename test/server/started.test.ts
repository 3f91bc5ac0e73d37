import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Response, type ServerOptions, startServer } from '../../src/index.ts';
import { logAs, logStarted } from '../../src/server/operator-log.ts';

const APART = ', each with a memory of its own (docs/server.md, "A memory of its own")';

afterEach(() => void vi.restoreAllMocks());

/** The line about a server with so many workers and threads. */
function lineFor(workers: number, min = 0, max = min): string {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  logAs('text');
  logStarted('http://localhost:8000', { workers, threads: { min, max } });
  return String(printed.mock.lastCall?.[0]);
}

describe('the line at the start of a server', () => {
  it('says where it listens, and nothing more of one process', () => {
    expect(lineFor(0)).toBe('filrouge: serving on http://localhost:8000');
    expect(lineFor(1)).toBe('filrouge: serving on http://localhost:8000 with 1 worker');
    expect(lineFor(0, 1)).toBe('filrouge: serving on http://localhost:8000 with 1 thread');
  });

  it('says that several have several memories, and where that is explained', () => {
    expect(lineFor(4)).toBe(`filrouge: serving on http://localhost:8000 with 4 workers${APART}`);
    expect(lineFor(0, 8)).toBe(`filrouge: serving on http://localhost:8000 with 8 threads${APART}`);
    expect(lineFor(1, 2)).toBe(`filrouge: serving on http://localhost:8000 with 1 worker and 2 threads${APART}`);
    expect(lineFor(2, 2, 8)).toBe(`filrouge: serving on http://localhost:8000 with 2 workers and 2 to 8 threads in each${APART}`);
  });

  it('is written once by a server in one process, as text, as JSON or not at all', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const started = async (log: ServerOptions['log']): Promise<string> => {
      const server = await startServer(() => Response.empty(), { workers: 0, port: 0, signals: false, log });
      onTestFinished(() => server.close({ timeout: 0 }));
      return server.url;
    };
    const url = await started('text');
    expect(printed.mock.calls).toEqual([[`filrouge: serving on ${url}`]]);
    printed.mockClear();
    const other = await started('json');
    expect(JSON.parse(String(printed.mock.lastCall?.[0]))).toMatchObject({ event: 'started', url: other, workers: 0, threads: 0 });
    printed.mockClear();
    await started('off');
    expect(printed).not.toHaveBeenCalled();
  });
});
