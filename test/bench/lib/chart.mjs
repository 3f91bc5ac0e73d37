/**
 * docs/benchmarks.svg: for each scenario a line, on it a mark for each server, at its ratio to node:http. The scale is logarithmic.
 *
 * @module
 */
import { recordedRatios } from './document.mjs';
import { PEERS } from './peers.mjs';
import { SCENARIOS } from './scenarios.mjs';

const WIDTH = 900;
const LEFT = 230;
const RIGHT = 30;
const TOP = 90;
const LINE = 30;
/** Of the scale. */
const LEAST = 0.1;
const GREATEST = 32;
const STEPS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32];

const COLOURS = {
  filrouge: '#c1121f',
  fastify: '#4c4c4c',
  hono: '#e07a00',
  express: '#b8b8b8',
  koa: '#8d99ae',
  polka: '#6d597a',
  h3: '#2a9d8f',
  bun: '#d4a373',
  nginx: '#2b9348',
  go: '#00a6d6',
  hyper: '#8b4513',
  tiny_http: '#5f0f40',
};

/** @param {string} page The page whose tables are drawn. @returns {string} SVG. */
export function chartOf(page) {
  const lines = SCENARIOS.filter(({ variants, metrics }) => variants === undefined && !metrics[0].isLessBetter)
    .map(({ name, title }) => ({ title, ratios: recordedRatios(page, name) }))
    .filter(({ ratios }) => ratios.size > 0);
  const height = TOP + lines.length * LINE + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>Requests a second as a ratio to node:http</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${legend()}
${STEPS.map((step) => gridLine(step, height)).join('\n')}
${lines.map(drawLine).join('\n')}
</svg>
`;
}

function legend() {
  return PEERS.filter(({ name }) => name !== 'node')
    .map(({ name, title }, i) => {
      const [x, y] = [20 + (i % 6) * 145, 20 + Math.floor(i / 6) * 22];
      return `${mark(name, x, y)}<text x="${x + 12}" y="${y + 4}">${escaped(title)}</text>`;
    })
    .join('\n');
}

function gridLine(step, height) {
  const at = xOf(step);
  const stroke = step === 1 ? '#000' : '#ddd';
  const label = step === 1 ? 'node:http' : `×${step}`;
  return `<path d="M${at} ${TOP - 12}V${height - 20}" stroke="${stroke}"/><text x="${at}" y="${TOP - 18}" text-anchor="middle">${label}</text>`;
}

function drawLine({ title, ratios }, i) {
  const y = TOP + i * LINE + LINE / 2;
  // Ours last: on top of the others.
  const marks = PEERS.toReversed()
    .filter((peer) => ratios.has(peer.title))
    .map((peer) => mark(peer.name, xOf(ratios.get(peer.title)), y, `${peer.title}: ${ratios.get(peer.title)}`));
  return `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${escaped(title)}</text><path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#eee"/>${marks.join('')}`;
}

function mark(name, x, y, title) {
  const label = title === undefined ? '' : `<title>${escaped(title)}</title>`;
  return `<circle cx="${x}" cy="${y}" r="${name === 'filrouge' ? 7 : 5}" fill="${COLOURS[name]}" fill-opacity="0.85">${label}</circle>`;
}

function xOf(ratio) {
  const part = Math.log(Math.min(GREATEST, Math.max(LEAST, ratio)) / LEAST) / Math.log(GREATEST / LEAST);
  return Math.round((LEFT + part * (WIDTH - LEFT - RIGHT)) * 10) / 10;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
