/**
 * Which test files may share a process, as starting one for each takes longer than most of them: those that ask by function calls, or ask servers of
 * their own process, and leave it as they found it. Vitest itself takes back the spies of a file when the file is done.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isLong } from './order.ts';

/** Where such files are. */
const FOLDERS = ['exchange', 'h1', 'h2', 'http', 'process', 'rfc', 'server'];

/** What in the text of a file says that it needs a process of its own. */
const OF_ITS_OWN = [
  /\bvi\.(?:doMock|hoisted|mock|resetModules|stubEnv|stubGlobal)\b/, // what modules are, or what they read when they are loaded
  /\bvi\.useFakeTimers\((?!\{ toFake: \['Date'\])/, // clocks that modules have begun, which stand still from then on
  /\bvi\.spyOn\((?:Atomics|performance|process)\b/,
  /\bprocess\.(?:chdir|cpuUsage|emit|getActive\w+|memoryUsage|on|once|removeAllListeners)\b/,
  /'node:(?:cluster|diagnostics_channel)'/, // what is told there of others as well
  /\/support\/(?:chromium|collector|cpu-time|garbage|program|redis|redis-deployments|telemetry)\.ts'/,
];

/** The paths from the root of the project. */
export function filesTogether(root: string): string[] {
  return FOLDERS.flatMap((folder) => {
    const names = readdirSync(`${root}test/${folder}`, { recursive: true, encoding: 'utf8' });
    return names.map((name) => `test/${folder}/${name.replaceAll('\\', '/')}`);
  }).filter((path) => path.endsWith('.test.ts') && !isLong(path) && mayShare(readFileSync(root + path, 'utf8')));
}

function mayShare(text: string): boolean {
  return OF_ITS_OWN.every((expression) => !expression.test(text));
}
