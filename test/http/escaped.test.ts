import { afterEach, describe, expect, it, vi } from 'vitest';
import { respond } from '../../src/exchange/respond.ts';
import { gatewayError, UpstreamFailure } from '../../src/helpers/proxy/failure.ts';
import { escaped, quoted } from '../../src/http/escaped.ts';
import { Request } from '../../src/index.ts';
import { log, logAs, logTimedOut } from '../../src/server/operator-log.ts';

const FORGED = '/a%0Afilrouge:%20ready%1B[2J%C2%9B31m%E2%80%A8b%7F';
const SHOWN = '/a\\u000afilrouge: ready\\u001b[2J\\u009b31m\\u2028b\\u007f';
/** The same where JSON has put the short escape. */
const QUOTED = `"${SHOWN.replace('\\u000a', '\\n')}"`;

afterEach(() => {
  logAs('text');
  vi.restoreAllMocks();
});

describe('a line of a log', () => {
  const request = new Request({ target: FORGED });

  it('holds no control character of a client, C0, C1 or DEL, and no line end of Unicode', () => {
    expect([escaped(request.path), quoted(request.path)]).toEqual([SHOWN, QUOTED]);
    expect(escaped('été\u00a0日本 \\n')).toBe('été\u00a0日本 \\n');
  });

  it('is not broken by a path whose handler returned nothing', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const options = { onError: undefined, errors: 'auto' as const };
    await respond({ handler: () => undefined as never, options, requests: 0, current: undefined }, request);
    const [line] = String(printed.mock.calls[0]).split('\n');
    const message = `Cannot answer GET ${SHOWN}: the handler returned nothing, not a Response: look for a branch without return`;
    expect(line).toBe(`Cannot serve GET ${QUOTED}: TypeError: ${message}`);
  });

  it('is not broken by a path that takes too long, in text and in JSON', () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    logTimedOut(request, 5);
    expect(printed.mock.calls[0]).toEqual([`filrouge: GET ${QUOTED} has taken 5 ms: its promise has not settled; answered 503`]);
    logAs('json');
    log('slow', 'x', { path: request.path });
    const line = printed.mock.calls[1]?.[0] as string;
    expect(line).toContain(`"path":${QUOTED}`);
    expect(JSON.parse(line)).toMatchObject({ path: request.path });
  });

  it('is not broken by a path whose upstream fails', () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    gatewayError(new UpstreamFailure('closed', false), request, 'http://a');
    expect(printed.mock.calls).toEqual([[`[proxy http://a] Cannot answer GET ${QUOTED}: closed`]]);
  });
});
