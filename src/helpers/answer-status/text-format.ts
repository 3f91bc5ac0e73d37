/**
 * Families of metrics as text: in the Prometheus text format 0.0.4, or in OpenMetrics 1.0.
 *
 * They differ in little. OpenMetrics names a counter without its `_total`, tells units, and ends with `# EOF`. What is written here is otherwise the
 * same in both: each family in one piece, its metadata first, the buckets of a histogram cumulative and in order.
 *
 * @module
 */
import { DURATION_BOUNDS, type Durations } from '../../process/durations.ts';
import type { Family, Labels } from './families.ts';

/** The text formats. */
export type TextFormat = 'prometheus' | 'openmetrics';

/** Writes those families that have samples. */
export function textOf(families: readonly Family[], format: TextFormat): string {
  const lines = families.filter(({ samples }) => samples.length > 0).flatMap((family) => linesOf(family, format));
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function linesOf(family: Family, format: TextFormat): string[] {
  const { name, type, unit, help } = family;
  const sampleName = type === 'counter' ? `${name}_total` : name;
  const isOpen = format === 'openmetrics';
  const metaName = isOpen ? name : sampleName;
  const lines = [`# HELP ${metaName} ${help}`, `# TYPE ${metaName} ${type}`];
  if (isOpen && unit !== undefined) lines.push(`# UNIT ${metaName} ${unit}`);
  const samples =
    family.type === 'histogram'
      ? family.samples.flatMap(([labels, durations]) => histogram(name, labels, durations))
      : family.samples.map(([labels, value]) => line(sampleName, labels, value));
  return [...lines, ...samples];
}

function histogram(name: string, labels: Labels, { count, sum, buckets }: Durations): string[] {
  let below = 0;
  const lines = DURATION_BOUNDS.map((bound, i) => {
    below += buckets[i] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: Number.isInteger(bound) ? `${bound}.0` : bound }, below); // as OpenMetrics writes floats
  });
  return [
    ...lines,
    line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

/** In both formats a backslash stands before these three, and a line ends nowhere else. */
function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? String.raw`\n` : `\\${character}`));
}
