import { describe, expect, it } from 'vitest';
import { answerStatus, Request, type ServerStatus } from '../../src/index.ts';
import { DURATION_BOUNDS, DurationTally } from '../../src/process/durations.ts';
import { NO_TOTALS, NOTHING_NOW, type Totals } from '../../src/process/server-status.ts';
import { complaintsOfOthers, hasOthers, parseExposition } from '../support/exposition.ts';

const FORMATS = ['prometheus', 'openmetrics'] as const;
/** What Prometheus 2 and 3 send. */
const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

function durationsOf(...seconds: readonly number[]): ReturnType<DurationTally['read']> {
  const tally = new DurationTally();
  for (const one of seconds) tally.add(one);
  return tally.read();
}

const QUIET: ServerStatus = { ...NO_TOTALS, generation: 1, restarts: 0, bounds: DURATION_BOUNDS, workers: [] };

const TOTALS: Totals = {
  requests: 5,
  refused: { 400: 2, tls: 1 },
  answered: [
    { route: '/a/{b}', method: 'GET', status: 200, count: 3, durations: durationsOf(0.0001, 0.02, 44) },
    { route: 'none', method: 'POST', status: 404, count: 1, durations: durationsOf(0.3) },
  ],
  abandoned: 1,
  opened: { 'http/1.1': 3, h2: 1 },
  tls: { handshakes: 4, resumed: 2, failed: 1 },
  http2: { streams: 2, resetsReceived: 1, resetsSent: 0, goAwaysReceived: { NO_ERROR: 1 }, goAwaysSent: { ENHANCE_YOUR_CALM: 2 } },
  calls: { 'database.person': durationsOf(0.004) },
  loopDelay: durationsOf(0.0002, 0.09),
  gc: { minor: { count: 7, seconds: 0.0125 } },
};

const BUSY: ServerStatus = {
  ...QUIET,
  ...TOTALS,
  generation: 3,
  restarts: 1,
  workers: [
    {
      ...TOTALS,
      ...NOTHING_NOW,
      pid: 77,
      generation: 3,
      connections: 2,
      protocols: { 'http/1.1': 1, h2: 1 },
      threadStates: { starting: 0, idle: 2, running: 1, waiting: 1 },
      waiting: { 'database.person': 1 },
      rss: 80_000_000,
    },
  ],
};

const STATES: readonly (readonly [string, ServerStatus])[] = [
  ['a server that has served nobody', QUIET],
  ['a busy one', BUSY],
  ['one that does not measure times', { ...BUSY, answered: BUSY.answered.map((row) => ({ ...row, durations: undefined })) }],
  [
    'one whose names have every character',
    { ...BUSY, answered: BUSY.answered.map((row) => ({ ...row, route: `${row.route}"\\ü\n{},= ` })), calls: { '"\\\n': durationsOf(1) } },
  ],
];

function textOf(status: ServerStatus, format: (typeof FORMATS)[number]): string {
  return answerStatus(new Request(), status, format).text() ?? '';
}

describe.each(STATES)('the text of %s', (_name, status) => {
  it.each(FORMATS)('is valid: %s', (format) => {
    expect(parseExposition(textOf(status, format), format).size).toBeGreaterThan(10);
  });

  it.skipIf(!hasOthers && process.env['CI'] === undefined).each(FORMATS)('is read by promtool and the client for Python: %s', (format) => {
    expect(complaintsOfOthers(textOf(status, format), format)).toBe('');
  });
});

describe('answerStatus', () => {
  it.each(FORMATS)('writes a histogram for each route, method and status: %s', (format) => {
    const samples = parseExposition(textOf(BUSY, format), format).get('filrouge_request_duration_seconds')?.samples ?? [];
    const own = samples.filter(({ labels }) => labels['route'] === '/a/{b}');
    expect(own[0]).toEqual({
      name: 'filrouge_request_duration_seconds_bucket',
      labels: { route: '/a/{b}', method: 'GET', status: '200', le: '0.0005' },
      value: 1,
    });
    const upTo = (le: string): number | undefined => own.find(({ labels }) => labels['le'] === le)?.value;
    expect(['0.01', '0.025', '1.0', '30.0', '+Inf'].map(upTo)).toEqual([1, 2, 2, 2, 3]);
    expect(own.slice(-2).map(({ value }) => value)).toEqual([44.0201, 3]);
  });

  it('names counters with their _total in the text format, and without it in the metadata of OpenMetrics', () => {
    const [old, open] = FORMATS.map((format) => textOf(BUSY, format).split('\n'));
    expect(old).toContain('# TYPE filrouge_requests_total counter');
    expect(open).toContain('# TYPE filrouge_requests counter');
    for (const lines of [old, open]) expect(lines).toContain('filrouge_requests_total 5');
    expect(open).toContain('# UNIT filrouge_gc_seconds seconds');
    expect(open?.slice(-2)).toEqual(['# EOF', '']);
  });

  it('escapes what stands in labels', () => {
    const route = 'a"b\\c\nd';
    const status = { ...BUSY, answered: [{ route, method: 'GET', status: 200, count: 1, durations: undefined }] };
    expect(textOf(status, 'prometheus')).toContain(String.raw`{route="a\"b\\c\nd",method="GET",status="200"} 1`);
    expect(parseExposition(textOf(status, 'openmetrics'), 'openmetrics').get('filrouge_responses')?.samples[0]?.labels['route']).toBe(
      route,
    );
  });

  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/html,*/*;q=0.8', 'application/json'],
    [PROMETHEUS_2, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [PROMETHEUS_3, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['application/openmetrics-text; version=0.0.1, */*;q=0.1', 'application/json'],
  ])('chooses the format by Accept: %s', (accept, type) => {
    const request = new Request({ headers: accept === undefined ? {} : { Accept: accept } });
    const response = answerStatus(request, BUSY);
    expect(response.header('content-type')).toContain(type);
    expect([response.header('vary'), response.header('cache-control')]).toEqual(['Accept', 'no-store']);
  });

  it('has the same figures as JSON', () => {
    expect(answerStatus(new Request(), BUSY).json()).toEqual(JSON.parse(JSON.stringify(BUSY)));
  });
});
