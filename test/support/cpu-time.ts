/** How much work something is, whatever else the machine is doing. */

/** The time that the processors spend on a call, ms: waiting for one of them, as on a busy machine, is not counted. */
export function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
