/**
 * The script of the status page, as it is sent: no build makes it.
 *
 * Whatever comes from a server is put into the page as text, never as markup. What the page keeps is bounded: points of the charts, events, and as many
 * rows as there are threads. It listens only while somebody sees it.
 *
 * @module
 */

export const SCRIPT: string = String.raw`'use strict';
{
  /** Points of a chart: five minutes of them. */
  const MOST_POINTS = 300;
  /** What they show at least, ms. */
  const LEAST_SPAN = 60000;
  const MOST_EVENTS = 50;
  /** Without news for so long, ms, the worker at the other end may be stuck: another one is asked. */
  const PATIENCE = 6000;
  /** How long a stack may take, ms: what cannot be interrupted is waited for on the other side. */
  const STACK_PATIENCE = 8000;
  /** A request that takes longer is marked, ms. */
  const LONG = 1000;

  const find = (id) => document.getElementById(id);

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // Figures as people read them

  const number = (n) => n === null ? '–' : n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString('en') : n.toFixed(1);
  const counted = (n, what) => number(n) + ' ' + what + (n === 1 ? '' : what.endsWith('s') ? 'es' : 's');
  const rate = (n) => n === null ? '–' : number(n) + '/s';
  const bytes = (n) => n >= 2 ** 30 ? (n / 2 ** 30).toFixed(2) + ' GiB' : Math.round(n / 2 ** 20) + ' MiB';

  function time(ms) {
    if (ms === null) return '–';
    if (ms < 10) return ms.toFixed(1) + ' ms';
    if (ms < 1000) return Math.round(ms) + ' ms';
    if (ms < 60000) return (ms / 1000).toFixed(1) + ' s';
    return Math.floor(ms / 60000) + ' min ' + Math.round(ms % 60000 / 1000) + ' s';
  }

  function clock(at) {
    const element = make('time', '', new Date(at).toLocaleTimeString('en-GB'));
    element.dateTime = new Date(at).toISOString();
    return element;
  }

  // Charts

  const SVG = 'http://www.w3.org/2000/svg';
  const CLASSES = ['first', 'second', 'third'];
  const total = (news, name) => news.workers.reduce((sum, worker) => sum + worker[name], 0);

  /** Each line of a chart: its name and its value; and how the values are written. */
  const CHARTS = {
    answers: { lines: [['', (news) => news.rates.answers]], write: rate },
    latency: { lines: [['p50', (news) => news.rates.p50], ['p95', (news) => news.rates.p95], ['p99', (news) => news.rates.p99]], write: time },
    errors: { lines: [['refused', (news) => news.rates.refusals], ['5xx', (news) => news.rates.failures]], write: rate },
    connections: {
      lines: [['open', (news) => total(news, 'connections')], ['in flight', (news) => total(news, 'inFlight')], ['queued', (news) => total(news, 'queued')]],
      write: number,
    },
    memory: { lines: [['', (news) => total(news, 'rss')]], write: bytes },
    delay: { lines: [['p99', (news) => news.rates.loopDelay]], write: time },
  };

  /** What the charts show, oldest first. */
  const points = [];
  /** Restarts and reloads, oldest first. */
  const marks = [];

  for (const [id, chart] of Object.entries(CHARTS)) {
    const figure = find(id);
    chart.title = figure.querySelector('h3').textContent;
    chart.svg = figure.querySelector('svg');
    [chart.most, chart.span] = figure.querySelectorAll('.scale span');
    chart.marks = document.createElementNS(SVG, 'g');
    chart.svg.append(chart.marks);
    chart.paths = chart.lines.map((_, i) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', CLASSES[i]);
      chart.svg.append(path);
      return path;
    });
    chart.values = chart.lines.map((_, i) => {
      const value = make('span', CLASSES[i]);
      figure.querySelector('figcaption p').append(value);
      return value;
    });
  }

  function draw() {
    const last = points[points.length - 1].at;
    const span = Math.min(Math.max(last - points[0].at, LEAST_SPAN), MOST_POINTS * 1000);
    const first = last - span;
    const x = (at) => ((at - first) / span * 300).toFixed(1);
    const before = span < 120000 ? Math.round(span / 1000) + ' s' : Math.round(span / 60000) + ' min';
    for (const [id, chart] of Object.entries(CHARTS)) {
      const most = Math.max(0, ...points.flatMap((point) => point[id].filter((value) => value !== null)));
      const scale = most > 0 ? 74 / most : 0;
      chart.paths.forEach((path, i) => {
        let way = '';
        let isDown = false;
        for (const point of points) {
          const value = point[id][i];
          if (value !== null) way += (isDown ? 'L' : 'M') + x(point.at) + ' ' + (79 - value * scale).toFixed(1);
          isDown = value !== null;
        }
        path.setAttribute('d', way);
      });
      const now = points[points.length - 1][id];
      const said = chart.lines.map(([name], i) => (name ? name + ' ' : '') + chart.write(now[i]));
      said.forEach((text, i) => set(chart.values[i], text));
      chart.svg.setAttribute('aria-label', chart.title + ' of the last minutes, now ' + said.join(', '));
      set(chart.most, most > 0 ? 'at most ' + chart.write(most) : 'none');
      set(chart.span, before);
      const seen = marks.filter((mark) => mark.at > first);
      chart.marks.replaceChildren(...seen.map((mark) => {
        const line = document.createElementNS(SVG, 'line');
        for (const name of ['x1', 'x2']) line.setAttribute(name, x(mark.at));
        line.setAttribute('y1', '0');
        line.setAttribute('y2', '80');
        const title = document.createElementNS(SVG, 'title');
        title.textContent = mark.event + ': ' + mark.message;
        line.append(title);
        return line;
      }));
    }
  }

  // Workers and threads

  /** The rows that are there, by process and thread. */
  const rows = new Map();
  const cards = new Map();

  const STATES = { starting: 'starts', idle: 'idle', awaiting: 'awaits promises', running: 'in a handler', blocked: 'does not come back' };

  function cardOf(pid) {
    let card = cards.get(pid);
    if (!card) {
      card = { element: make('section', 'worker'), title: make('h3'), text: make('p'), list: make('ul') };
      card.element.append(card.title, card.text, card.list);
      cards.set(pid, card);
    }
    return card;
  }

  function rowOf(key, card) {
    let row = rows.get(key);
    if (row) return row;
    row = { item: make('li'), button: make('button'), name: make('b'), state: make('span', 'state'), what: make('span', 'what'), place: make('span', 'place'), more: make('div', 'more'), requests: make('ul'), stack: make('pre') };
    row.button.type = 'button';
    row.more.id = 'more-' + key;
    row.more.hidden = true;
    row.stack.tabIndex = 0;
    row.stack.setAttribute('aria-label', 'Stack');
    row.stack.setAttribute('role', 'region');
    row.more.append(row.requests, row.stack);
    row.button.setAttribute('aria-expanded', 'false');
    row.button.setAttribute('aria-controls', row.more.id);
    row.button.append(row.name, row.state, row.what, row.place);
    row.button.addEventListener('click', () => open(key, row));
    row.item.append(row.button, row.more);
    card.list.append(row.item);
    rows.set(key, row);
    return row;
  }

  /** Shows where a thread stands, or hides it again. */
  async function open(key, row) {
    const isOpen = row.more.hidden;
    row.more.hidden = !isOpen;
    row.button.setAttribute('aria-expanded', String(isOpen));
    if (!isOpen) return;
    row.stack.textContent = 'Looking …';
    let text;
    try {
      const response = await fetch('?stack=' + key, { signal: AbortSignal.timeout(STACK_PATIENCE) });
      const { stack } = await response.json();
      text = !stack ? 'It cannot be looked into: it is inside a call of the system, or gone.' : stack.length === 0 ? 'It executes nothing at this moment.' : stack.join('\n');
    } catch {
      text = 'The server does not answer.';
    }
    row.stack.textContent = text;
  }

  function describe(row, thread, pid) {
    const [first] = thread.requests;
    const isLong = thread.state === 'blocked' || (thread.place !== undefined) || ((thread.state === 'running' || thread.state === 'waiting') && first && first.ms > LONG);
    const isBusy = thread.state !== 'idle' && thread.state !== 'starting';
    row.item.className = isLong ? 'long busy' : isBusy ? 'busy' : '';
    set(row.name, thread.thread === 0 ? 'main thread' : 'thread ' + thread.thread);
    set(row.state, thread.state === 'waiting' ? 'waits in ' + thread.waitsIn : STATES[thread.state]);
    if (first) row.what.replaceChildren(make('span', 'path', first.method + ' ' + first.path), ' ', make('b', '', time(first.ms)), thread.open > 1 ? ' and ' + (thread.open - 1) + ' more' : '');
    else row.what.replaceChildren();
    set(row.place, thread.place ? 'stands ' + thread.place : '');
    row.requests.replaceChildren(...thread.requests.slice(1).map((request) => {
      const item = make('li');
      item.append(make('span', 'path', request.method + ' ' + request.path), ' ' + time(request.ms));
      return item;
    }));
  }

  function showWorkers({ workers, generation }) {
    const seen = new Set();
    for (const worker of workers) {
      const card = cardOf(worker.pid);
      set(card.title, 'Process ' + worker.pid);
      const parts = [counted(worker.connections, 'connection'), worker.inFlight + ' in flight', worker.queued + ' queued', bytes(worker.rss)];
      if (worker.generation !== generation) parts.push('generation ' + worker.generation);
      set(card.text, parts.join(' · '));
      for (const thread of worker.threads) {
        const key = worker.pid + '.' + thread.thread;
        seen.add(key);
        describe(rowOf(key, card), thread, worker.pid);
      }
    }
    for (const [key, row] of rows) {
      if (seen.has(key)) continue;
      row.item.remove();
      rows.delete(key);
    }
    const pids = new Set(workers.map((worker) => worker.pid));
    for (const [pid, card] of cards) {
      if (pids.has(pid)) continue;
      card.element.remove();
      cards.delete(pid);
    }
    const wanted = workers.map((worker) => cards.get(worker.pid).element);
    const place = find('workers');
    if (wanted.some((element, i) => place.children[i] !== element)) place.replaceChildren(...wanted);
  }

  // Lists

  /** Fills a list, or says that there is nothing. */
  function fill(id, items, nothing) {
    find(id).replaceChildren(...(items.length > 0 ? items : [make('li', 'none', nothing)]));
  }

  function showSlowest(slowest) {
    fill('slowest', slowest.map((request) => {
      const item = make('li');
      const what = make('span', 'path', request.method + ' ' + request.path);
      const by = make('span', 'by', request.status + ' at ');
      by.append(clock(request.at), ' by process ' + request.pid);
      item.append(make('b', '', time(request.ms)), what, by);
      if (request.place) item.append(make('span', 'place', request.place));
      return item;
    }), 'None took longer than 10 ms.');
  }

  function keep(mark) {
    marks.push(mark);
    if (marks.length > MOST_EVENTS) marks.shift();
  }

  function showEvents() {
    fill('events', marks.toReversed().map((mark) => {
      const item = make('li');
      item.append(clock(mark.at), make('span', '', mark.message));
      return item;
    }), 'No worker and no thread was replaced, and nothing reloaded.');
  }

  function show(news) {
    const point = { at: news.at };
    for (const [id, chart] of Object.entries(CHARTS)) point[id] = chart.lines.map(([, value]) => value(news));
    points.push(point);
    if (points.length > MOST_POINTS) points.shift();
    const known = new Set(marks.map((mark) => mark.at + mark.message));
    const fresh = news.marks.filter((mark) => !known.has(mark.at + mark.message));
    fresh.forEach(keep);
    marks.sort((a, b) => a.at - b.at);
    draw();
    showWorkers(news);
    showSlowest(news.slowest);
    if (fresh.length > 0 || points.length === 1) showEvents();
    const { workers, restarts, generation, requests } = news;
    set(find('summary'), [counted(workers.length, 'process'), counted(requests, 'request'), counted(restarts, 'restart'), 'generation ' + generation].join(' · '));
  }

  // The link to the server

  let source;
  let heardAt = 0;

  function tell(text) {
    set(find('link'), text);
    find('link').className = text === 'live' ? 'live' : '';
  }

  function connect() {
    source?.close();
    heardAt = performance.now();
    source = new EventSource('?events');
    source.addEventListener('message', (event) => {
      heardAt = performance.now();
      tell('live');
      show(JSON.parse(event.data));
    });
    source.addEventListener('error', () => tell('no connection, trying again'));
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return connect();
    source?.close();
    source = undefined;
    tell('paused');
  });
  setInterval(() => {
    if (!source || performance.now() - heardAt < PATIENCE) return;
    tell('no news, trying again');
    connect();
  }, 1000);
  if (!document.hidden) connect();
}
`;
