/**
 * A script with a hundred handlers that never return, each in its own way, and where each of them stands.
 *
 * The text of a kind is a function `NAME`, which is called as the handler. In it, `@` at the end of a line marks where it may be found: the function
 * named behind it, or `NAME` when there is none. Before it come some lines that do nothing, so that no two handlers of a kind stand at the same line.
 */

/** @typedef {{ path: string, places: string[] }} Expected What the log may say: `function:line`. */

const KINDS = [
  // Loops.
  `function NAME() {
  for (;;); // @
}`,
  `function NAME() {
  let n = 0;
  while (n >= 0) { // @
    n = (n + 1) % 1000; // @
  }
}`,
  `function NAME() {
  let n = 1; do { n ^= 1; } while (n < 2); // @
}`,
  // Loops that call.
  `function NAME() {
  for (;;) NAMEStep(3); // @
}
function NAMEStep(n) {
  return Math.sqrt(n) * n; // @ NAMEStep
}`,
  `function NAME() {
  return NAMEInner([1, 2, 3]);
}
function NAMEInner(list) {
  for (;;) list.push(list.shift()); // @ NAMEInner
}`,
  `function NAME() {
  NAMEFirst(5);
}
function NAMEFirst(n) {
  NAMESecond(n + 1);
}
function NAMESecond(n) {
  for (let i = n; i > 0; i = n) n = Math.max(n, 1); // @ NAMESecond
}`,
  // Regular expressions.
  `function NAME() {
  const text = 'a'.repeat(60) + '!';
  return /^(a+)+$/.test(text); // @
}`,
  `function NAME() {
  return ('x'.repeat(80) + 'y').replace(/(x+x+)+z/, ''); // @
}`,
  `function NAME() {
  return ['-'.repeat(70)].some((line) =>
    /^(-|--)*=$/.test(line), // @ *
  );
}`,
  // JSON.
  `function NAME() {
  const text = JSON.stringify(Array.from({ length: 500 }, (_, i) => [i, String(i)]));
  for (;;) JSON.parse(text); // @
}`,
  `function NAME() {
  const value = Array.from({ length: 500 }, (_, i) => ({ i }));
  for (;;) {
    JSON.stringify(value); // @
  }
}`,
  `function NAME() {
  const text = JSON.stringify(Array.from({ length: 100 }, (_, i) => i));
  const NAMEReviver = (key, value) =>
    value; // @ NAMEReviver
  for (;;) JSON.parse(text, NAMEReviver); // @
}`,
  // Sorting and other callbacks.
  `function NAME() {
  const list = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
  for (;;) {
    list.slice().sort(NAMECompare); // @
  }
}
function NAMECompare(a, b) {
  return a - b; // @ NAMECompare
}`,
  `function NAME() {
  [1].forEach(function NAMEEach(n) {
    for (;;) n = Math.abs(n); // @ NAMEEach
  });
}`,
  `function NAME() {
  return 'abc'.replace(/b/, function NAMEReplace(found) {
    while (found !== '') found = found.padEnd(2).trim(); // @ NAMEReplace
  });
}`,
  // Recursion.
  `function NAME() {
  return NAMEFib(90); // @
}
function NAMEFib(n) {
  if (n < 2) return n; // @ NAMEFib
  return NAMEFib(n - 1) + NAMEFib(n - 2); // @ NAMEFib
} // @ NAMEFib`,
  `function NAME() {
  const NAMEHanoi = (n, a, b, c) => {
    if (n === 0) return; // @ NAMEHanoi
    NAMEHanoi(n - 1, a, c, b); // @ NAMEHanoi
    NAMEHanoi(n - 1, c, b, a); // @ NAMEHanoi
  }; // @ NAMEHanoi
  NAMEHanoi(80, 'a', 'b', 'c');
}`,
  // Asynchronous functions that block behind an await.
  `async function NAME() {
  await null;
  for (;;); // @
}`,
  `async function NAME() {
  const text = await Promise.resolve('a'.repeat(60) + '!');
  return /^(a+)+$/.test(text); // @
}`,
  `async function NAME() {
  await new Promise((resolve) => setTimeout(resolve, 5));
  NAMEThen();
}
function NAMEThen() {
  for (let i = 0; ; i = (i + 1) % 10); // @ NAMEThen
}`,
  `function NAME() {
  return new Promise((resolve) => setImmediate(resolve)).then(function NAMEThen() {
    for (;;) Math.random(); // @ NAMEThen
  });
}`,
  // Classes.
  `class NAMEClass {
  #sum = 0;
  NAMEMethod() {
    for (;;) this.#sum = (this.#sum + 1) | 0; // @ NAMEMethod
  }
}
function NAME() {
  new NAMEClass().NAMEMethod();
}`,
  `class NAMEClass {
  static NAMEStatic(n) {
    while (n > 0) n = -n * -1; // @ NAMEStatic
  }
}
const NAME = () => NAMEClass.NAMEStatic(1);`,
  `class NAMEClass {
  constructor(n) {
    this.n = n;
    while (this.n > 0) this.n = n; // @ NAMEClass
  }
}
function NAME() {
  return new NAMEClass(1);
}`,
  `class NAMEClass {
  get value() {
    for (;;); // @ get value
  }
}
function NAME() {
  return new NAMEClass().value;
}`,
  // Closures and generators.
  `const NAME = NAMEMaker(7);
function NAMEMaker(size) {
  return function NAMEMade() {
    let n = size;
    for (;;) n = n > 0 ? -size : size; // @ NAMEMade
  };
}`,
  `const NAME = () => {
  const seen = new Map();
  for (let i = 0; ; i = (i + 1) % 100) seen.set(i, i); // @
};`,
  `function NAME() {
  for (const n of NAMENumbers()) if (n < 0) return; // @
}
function* NAMENumbers() {
  for (let n = 0; ; n = (n + 1) % 100) { // @ NAMENumbers
    yield n; // @ NAMENumbers
  }
}`,
  // Waiting, and Proxy.
  `function NAME() {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(cell, 0, 0); // @
}`,
  `function NAME() {
  const odd = new Proxy({}, {
    get: function NAMEGet(target, key) {
      for (;;) target[key] = 1; // @ NAMEGet
    },
  });
  return odd.anything;
}`,
];

/**
 * @param {string} door The module that exports startServer.
 * @param {number} count
 * @returns {{ script: string, expected: Expected[] }}
 */
export function manyHandlers(door, count) {
  const lines = [`import { Response, startServer } from ${JSON.stringify(door)};`, ''];
  /** @type {Expected[]} */
  const expected = [];
  for (let i = 0; i < count; i++) {
    const name = `handler${i}`;
    for (let n = 0; n < Math.floor(i / KINDS.length) * 2; n++) lines.push(`// line ${lines.length + 1} does nothing`);
    /** @type {string[]} */
    const places = [];
    for (const line of (KINDS[i % KINDS.length] ?? '').replaceAll('NAME', name).split('\n')) {
      const mark = / \/\/ @ ?(.*)$/.exec(line);
      lines.push(mark ? line.slice(0, mark.index) : line);
      if (mark) places.push(`${mark[1] || name}:${lines.length}`);
    }
    lines.push('');
    expected.push({ path: `/${i}`, places });
  }
  const names = expected.map((_, i) => `handler${i}`).join(', ');
  lines.push(
    `const handlers = [${names}];`,
    "const answer = (request) => handlers[Number(request.path.slice(1))]?.() ?? Response.text('none');",
    "const server = await startServer(answer, { host: '127.0.0.1', port: 0, ...JSON.parse(process.env.OPTIONS) });",
    "if (server.role !== 'thread') console.log('listening on ' + server.url);",
    '',
  );
  return { script: lines.join('\n'), expected };
}
