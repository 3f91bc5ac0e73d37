/**
 * In which order the test files begin: the longest first, so that none of them is left to run by itself at the end while the other cores rest.
 * Vitest knows how long a file takes only from a run before, and a fresh clone has seen none.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take ten seconds or so, and more, the longest first. One that is missing here, or not as long any more, costs a little time and nothing else. */
const LONGEST: readonly string[] = [
  'cluster/starting',
  'blocking/served',
  'cluster/affinity',
  'cluster/channels-redis',
  'examples/shop',
  'cluster/threads',
  'cluster/idle-threads',
  'cluster/recording',
  'cluster/streams',
  'examples/git-http-backend',
  'tracing/processes',
  'bundles/calls',
  'bundles/runtimes',
  'bundles/bundles',
  'cluster/status-page',
  'examples/browser',
  'examples/demo',
  'cluster/supervisor',
  'expressions',
  'cluster/channels',
  'cluster/activity',
  'cluster/socket-io',
  'cluster/figures',
  'cluster/operations',
  'cluster/socket-io-crowd',
  'examples/postgres',
  'helpers/html/attacks',
  'cluster/held',
  'examples/mcp',
  'server/random-clients',
  'server/http2/random-clients',
  'helpers/cgi/process',
  'server/tls/certificates',
  'examples/server-sent-events',
  'helpers/log-access/output',
  'cluster/tls',
  'cluster/start',
  'helpers/rate-limit/workers',
  'examples/traces',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

/** Whether a file, by its path, is one of those. */
export function isLong(path: string): boolean {
  return placeOf(path) !== -1;
}

/** Its place among them; -1 for all others. */
function placeOf(path: string): number {
  return LONGEST.findIndex((name) => path.endsWith(`test/${name}.test.ts`));
}

/** Those that share processes come last: the last ones are then short. */
function rankOf({ moduleId, project }: TestSpecification): number {
  const at = placeOf(moduleId);
  if (at !== -1) return at;
  return LONGEST.length + (project.config.isolate ? 0 : 1);
}
