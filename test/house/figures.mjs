/**
 * The census of src/: how many files a folder has, how long they are, and how much of them is comment. docs/architecture.md states it, and a test
 * holds it to that.
 *
 *     node test/house/figures.mjs            prints the table
 *     node test/house/figures.mjs --write    puts it into the page
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blank } from './blank.mjs';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/architecture.md', import.meta.url));

/** The table in the page, from its head to the line that is none of it. */
const TABLE = /^\| folder \| files \| median \|.*\n(?:\|.*\n)*/m;

/** These have a row for each of their folders; of the others a row holds all that lies below. */
const SPLIT = new Set(['http', 'server']);

/** The table, in Markdown. Lines are rounded to tens and shares to 5 %, so that it changes when the house does and not with every line. */
export function figures() {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ row: rowOf(path), ...measure(readFileSync(resolve(SRC, path), 'utf8')) }));
  const rows = [...new Set(files.map(({ row }) => row))].toSorted((a, b) => (a < b ? -1 : 1));
  const below = (row) => files.filter((file) => file.row === row);
  const lines = [...rows.map((row) => rowFor(`\`${row}\``, below(row))), rowFor('all', files)];
  return ['| folder | files | median | 90th percentile | comment |', '|---|---|---|---|---|', ...lines, ''].join('\n');
}

/** The table that the page states. */
export function statedFigures() {
  return TABLE.exec(readFileSync(PAGE, 'utf8'))?.[0];
}

/** `src/` for the doors, a folder of it, or a folder of a folder; with `*` what lies in folders of helpers. */
function rowOf(path) {
  const [first, second, ...rest] = path.split(/[/\\]/);
  if (second === undefined) return 'src/';
  if (first === 'helpers') return rest.length > 0 ? 'helpers/*/' : 'helpers/';
  return SPLIT.has(first) && rest.length > 0 ? `${first}/${second}/` : `${first}/`;
}

/** Lines, and how many of them hold a comment and nothing else. */
function measure(text) {
  const lines = text.replace(/\n$/, '').split('\n');
  const without = blank(text).withStrings.split('\n');
  return { lines: lines.length, comments: lines.filter((line, i) => line.trim() !== '' && without[i].trim() === '').length };
}

function rowFor(name, files) {
  const sizes = files.map(({ lines }) => lines).toSorted((a, b) => a - b);
  const at = (share) => sizes[Math.ceil(sizes.length * share) - 1];
  const total = (what) => files.reduce((sum, file) => sum + file[what], 0);
  const comment = rounded((100 * total('comments')) / total('lines'), 5);
  return `| ${name} | ${files.length} | ${rounded(at(0.5), 10)} | ${rounded(at(0.9), 10)} | ${comment} % |`;
}

function rounded(value, step) {
  return Math.round(value / step) * step;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = figures();
  const text = readFileSync(PAGE, 'utf8').replace(TABLE, () => table);
  if (process.argv.includes('--write')) writeFileSync(PAGE, text);
  process.stdout.write(table);
}
