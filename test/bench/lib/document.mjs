/**
 * docs/benchmarks.md: tables between markers, written here; all text outside of them is left alone.
 *
 * A table is also where its figures are kept: the summary, the chart and `--quick` read them from there.
 *
 * @module
 */

import { HTTP2_PEERS, HTTP2_SCENARIOS } from './http2.mjs';
import { figure, median, spread } from './numbers.mjs';
import { PEERS } from './peers.mjs';
import { SCENARIOS } from './scenarios.mjs';

/**
 * Replaces what stands between two markers.
 *
 * @throws Error When there are none.
 */
export function withSection(page, name, content) {
  const [begin, end] = markersOf(name);
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/benchmarks.md has no place for "${name}": ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`;
}

function sectionOf(page, name) {
  const [begin, end] = markersOf(name);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  return from === -1 || to < from ? '' : page.slice(from + begin.length, to);
}

function markersOf(name) {
  return [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
}

/**
 * The table of one scenario, as Markdown.
 *
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {readonly import('./measure.mjs').Row[]} rows
 */
export function tableOf(scenario, rows) {
  const { metrics } = scenario;
  const base = baseOf(rows);
  const head = [
    'server',
    `÷ ${base?.contestant.title ?? 'node:http'}`,
    ...metrics.map(({ title, isLessBetter }) => (isLessBetter ? `${title} (less is better)` : title)),
  ];
  const lines = rows.map((row) => {
    const name = row.contestant.peer.name === 'filrouge' ? `**${row.contestant.title}**` : row.contestant.title;
    const figures = metrics.map(({ key, digits }) =>
      spread(
        row.rounds.map((round) => round[key]),
        digits,
      ),
    );
    return [name, ratioText(ratiosOf(scenario, rows, row)), ...figures];
  });
  return markdownTable(head, lines);
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} lines
 */
export function markdownTable(head, lines) {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function ratioText(ratios) {
  return ratios ? spread(ratios, 2) : '–';
}

/**
 * Of the first metric to that of Node's own server in the same round, or of the first framework where that one does not take part.
 *
 * @returns {number[] | undefined} Nothing for that one itself.
 */
export function ratiosOf({ metrics }, rows, row) {
  const base = baseOf(rows);
  if (base === undefined || base === row) return undefined;
  return row.rounds.map((round, i) => round[metrics[0].key] / base.rounds[i][metrics[0].key]);
}

/** Node's own server; where it does not take part, the first framework. */
function baseOf(rows) {
  return rows.find(({ contestant }) => contestant.peer.name === 'node') ?? rows.find(({ contestant }) => contestant.peer.isFramework);
}

/** Names and versions, each once. */
export function versionsOf(field) {
  return [...new Set(field.map(({ peer, ready }) => `${peer.title} ${ready.version}`))].join(', ');
}

/** The whole section of a scenario. */
export function sectionTextOf(scenario, rows, conditions) {
  const times = scenario.longer ? `, here ${scenario.longer} times that` : '';
  const basis = `*${conditions}${times}, ${rows[0]?.rounds.length} rounds. ${versionsOf(rows.map(({ contestant }) => contestant))}.*`;
  return `\n### ${scenario.title}\n\n${scenario.how}\n\n${tableOf(scenario, rows)}\n\n${basis}\n`;
}

/**
 * The ratios to Node's own server that are recorded on the page.
 *
 * @returns {Map<string, number>} By the server's title, without those that have none.
 */
export function recordedRatios(page, name) {
  const rows = sectionOf(page, name)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('**', '')));
  const ratios = rows.map(([, title, ratio]) => [title, Number.parseFloat(ratio?.replaceAll(',', '') ?? '')]);
  return new Map(ratios.filter(([, ratio]) => Number.isFinite(ratio)));
}

/** One line for each scenario that is recorded: ratios to Node's own server of ours and of all peers. */
function summaryOf(page, scenarios, field) {
  const [ours, ...peers] = field.filter(({ name }) => name !== 'node');
  const lines = scenarios
    .filter(({ name, variants }) => variants === undefined && sectionOf(page, name).includes('÷ node:http'))
    .flatMap((scenario) => {
      const ratios = recordedRatios(page, scenario.name);
      if (ratios.size === 0) return [];
      const { isLessBetter } = scenario.metrics[0];
      const own = ratios.get(ours.title) ?? Number.NaN;
      const toBest = own / bestOf(ratios, isLessBetter);
      const cells = peers.map(({ title }) => figure(ratios.get(title) ?? Number.NaN, 2));
      return [[isLessBetter ? `${scenario.title} (less is better)` : scenario.title, `**${figure(own, 2)}**`, figure(toBest, 2), ...cells]];
    });
  if (lines.length === 0) return 'Nothing has been recorded yet.';
  const head = ['scenario', ours.title, 'filrouge ÷ the best Node framework', ...peers.map(({ title }) => title)];
  return markdownTable(head, lines);
}

/** The ratio of the best framework for Node; NaN without any. */
function bestOf(ratios, isLessBetter) {
  const of = PEERS.filter(({ isFramework, title }) => isFramework && ratios.has(title)).map(({ title }) => ratios.get(title));
  if (of.length === 0) return Number.NaN;
  return isLessBetter ? Math.min(...of) : Math.max(...of);
}

/** The page with the tables of what was measured, and with what follows from all its tables. */
export function withResults(page, results, machine, conditions) {
  let text = withSection(page, 'machine', machine);
  for (const { scenario, rows } of results) text = withSection(text, scenario.name, sectionTextOf(scenario, rows, conditions));
  const chart = '![Ratios to node:http](benchmarks.svg)';
  text = withSection(text, 'summary', `\n${summaryOf(text, SCENARIOS, PEERS)}\n\n${chart}\n`);
  return withSection(text, 'summary-http2', `\n${summaryOf(text, HTTP2_SCENARIOS, HTTP2_PEERS)}\n`);
}

/** How far ours fell behind what is recorded: 0.1 is a tenth. */
export function fallOf(page, scenario, rows) {
  const ours = rows.find(({ contestant }) => contestant.peer.name === 'filrouge');
  const recorded = recordedRatios(page, scenario.name).get('filrouge');
  const now = median(ratiosOf(scenario, rows, ours));
  return { recorded, now, fall: recorded === undefined ? 0 : 1 - now / recorded };
}
