/**
 * Reads the text formats of metrics, and accepts nothing that their specifications do not: Prometheus text format 0.0.4 and OpenMetrics 1.0.
 *
 * Others are asked as well, where the machine has them: promtool, and the parsers of the Prometheus client for Python, of which that for
 * OpenMetrics is the reference.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family of metrics by its name in the format. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly unit: string | undefined;
  readonly samples: Sample[];
}

type Format = 'prometheus' | 'openmetrics';

const META = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})? ([^ ]+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/i;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/** Reads a page of metrics. @throws Error: the line and what is wrong with it. */
export function parseExposition(text: string, format: Format): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('The last line is not "# EOF"');
  const families = new Map<string, Family>();
  let current = '';
  for (const line of lines) {
    const meta = META.exec(line);
    if (meta) current = takeMeta(families, current, meta, format);
    else takeSample(families.get(current), current, line, format);
  }
  for (const [name, family] of families) check(name, family);
  return families;
}

function takeMeta(families: Map<string, Family>, current: string, [line, kind, name, text]: RegExpExecArray, format: Format): string {
  if (name !== current && families.has(name as string)) throw new Error(`The family comes in two pieces: ${line}`);
  const family = families.get(name as string) ?? { type: '', help: '', unit: undefined, samples: [] };
  if (family.samples.length > 0) throw new Error(`Metadata come behind samples: ${line}`);
  const key = (kind as string).toLowerCase() as 'help' | 'type' | 'unit';
  if (family[key]) throw new Error(`It is said twice: ${line}`);
  if (kind === 'UNIT' && (format === 'prometheus' || !name?.endsWith(`_${text}`))) throw new Error(`A unit that cannot be: ${line}`);
  if (kind === 'TYPE' && !['counter', 'gauge', 'histogram'].includes(text as string)) throw new Error(`No such type: ${line}`);
  families.set(name as string, { ...family, [key]: text });
  return name as string;
}

function takeSample(family: Family | undefined, current: string, line: string, format: Format): void {
  const found = SAMPLE.exec(line);
  if (!found || !family) throw new Error(`No sample: ${line}`);
  const [, name = '', labelText = '', number = ''] = found;
  if (!NUMBER.test(number)) throw new Error(`No number: ${line}`);
  const counterSuffix = format === 'openmetrics' ? '_total' : '';
  const suffixes = SUFFIXES[family.type] ?? [family.type === 'counter' ? counterSuffix : ''];
  if (!suffixes.some((suffix) => name === current + suffix)) throw new Error(`It does not belong to "${current}": ${line}`);
  const labels: Record<string, string> = {};
  let rest = labelText;
  while (rest !== '') {
    const label = LABEL.exec(rest);
    if (!label) throw new Error(`Bad labels: ${line}`);
    const [whole, key = '', value = ''] = label;
    if (Object.hasOwn(labels, key)) throw new Error(`A label comes twice: ${line}`);
    labels[key] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
    rest = rest.slice(whole.length);
  }
  family.samples.push({ name, labels, value: number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number) });
}

function check(name: string, { type, help, samples }: Family): void {
  if (type === '' || help === '') throw new Error(`"${name}" has no type or no help`);
  const seen = new Set(
    samples.map((sample) =>
      JSON.stringify([
        sample.name,
        Object.entries(sample.labels)
          .map(String)
          .toSorted((a, b) => a.localeCompare(b)),
      ]),
    ),
  );
  if (seen.size < samples.length) throw new Error(`A sample of "${name}" comes twice`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`A counter of "${name}" is negative`);
  if (type === 'histogram') checkHistograms(name, samples);
}

/** Of each set of labels: buckets in order, cumulative, up to +Inf, which is the count. */
function checkHistograms(name: string, samples: readonly Sample[]): void {
  const sets = new Map<string, Sample[]>();
  for (const sample of samples) {
    const labels = JSON.stringify({ ...sample.labels, le: undefined });
    sets.set(labels, [...(sets.get(labels) ?? []), sample]);
  }
  for (const [labels, set] of sets) {
    const buckets = set.filter((sample) => sample.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels: { le } }) => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)));
    const count = set.find((sample) => sample.name === `${name}_count`)?.value;
    const isOrdered = bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] as number));
    const isCumulative = buckets.every(({ value }, i) => i === 0 || value >= (buckets[i - 1]?.value as number));
    if (!isOrdered || !isCumulative) throw new Error(`The buckets of "${name}" ${labels} are not in order`);
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count;
    if (!isWhole) throw new Error(`"${name}" ${labels} has no last bucket`);
    if (!set.some((sample) => sample.name === `${name}_sum`)) throw new Error(`"${name}" ${labels} has no sum`);
  }
}

/** Whether this machine has what the tests with `acceptedByOthers` need. */
export const hasOthers: boolean =
  spawnSync('promtool', ['--version']).status === 0 && spawnSync('/usr/bin/python3', ['-c', 'import prometheus_client']).status === 0;

const PYTHON = `
import sys
from prometheus_client.parser import text_string_to_metric_families as prometheus
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
families = list({'prometheus': prometheus, 'openmetrics': openmetrics}[sys.argv[1]](sys.stdin.read()))
print(len(families))
`;

/** What other readers say of a page: an empty text when they read all of it and find nothing wrong. */
export function complaintsOfOthers(text: string, format: Format): string {
  const python = spawnSync('/usr/bin/python3', ['-c', PYTHON, format], { input: text, encoding: 'utf8' });
  const count = parseExposition(text, format).size;
  const complaints = python.stdout.trim() === String(count) ? '' : `${python.stdout} of ${count} families were read: ${python.stderr}`;
  if (format === 'openmetrics') return complaints; // promtool reads the other one only
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return complaints + (promtool.status === 0 ? '' : promtool.stderr + promtool.stdout);
}
