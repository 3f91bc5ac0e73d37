/**
 * The frame of the status page: the script fills it.
 *
 * @module
 */

/** Each chart: its name in the script, and what it says. */
const CHARTS = [
  ['answers', 'Requests'],
  ['latency', 'Latency'],
  ['errors', 'Errors'],
  ['connections', 'Connections'],
  ['memory', 'Memory'],
  ['delay', 'Event-loop delay'],
] as const;

function chart([name, title]: (typeof CHARTS)[number]): string {
  return `<figure id="${name}"><figcaption><h3>${title}</h3><p></p></figcaption><svg viewBox="0 0 300 80" preserveAspectRatio="none" role="img"></svg>
<p class="scale"><span></span><span></span></p></figure>`;
}

/** The page. Nothing in it is anybody's but ours. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Server status</title>
<link rel="icon" href="?icon.svg">
<link rel="stylesheet" href="?style.css">
<script src="?script.js" defer></script>
</head>
<body>
<header><h1>Server status</h1><p id="link" role="status">connecting</p><p id="summary"></p></header>
<main>
<noscript><p>The page shows what changes: it needs its script.</p></noscript>
<section aria-labelledby="figures"><h2 id="figures">Figures</h2><div class="charts">
${CHARTS.map(chart).join('\n')}
</div></section>
<section aria-labelledby="now"><h2 id="now">Now</h2><div id="workers"></div></section>
<section aria-labelledby="slow"><h2 id="slow">Slowest of the last 5 minutes</h2><ol id="slowest"></ol></section>
<section aria-labelledby="past"><h2 id="past">Events</h2><ol id="events"></ol></section>
</main>
</body>
</html>
`;

/** Its icon. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1 9h3l2-6 4 11 2-5h3" fill="none" stroke="#c2362c" stroke-width="2" stroke-linejoin="round"/></svg>`;
