import { describe, expect, it } from 'vitest';
import { resolveOptions, type ServerOptions } from '../../src/server/options.ts';

const refusal = (options: unknown): { message: string; code: string } => {
  try {
    resolveOptions(options as ServerOptions);
  } catch (error) {
    return error as { message: string; code: string };
  }
  throw new Error('Nothing was refused');
};

describe('the options of startServer', () => {
  it('have safe defaults, all of them on', () => {
    expect(resolveOptions()).toMatchObject({
      host: 'localhost',
      port: 8000,
      maxBodySize: 10 * 1024 * 1024,
      bodyMemory: 64 * 1024,
      maxRequestLine: 8192,
      maxHeaderSize: 16_384,
      maxHeaders: 100,
      maxConnections: 10_000,
      headersTimeout: 30_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      writeTimeout: 30_000,
      shutdownTimeout: 30_000,
      handlerTimeout: 0,
      signals: true,
    });
    expect(resolveOptions().workers).toBeGreaterThan(0);
    expect(resolveOptions().maxDiskForBodies).toBeGreaterThan(0);
    expect(resolveOptions().maxMemoryForBodies).toBeGreaterThan(0);
  });

  it('bound handlers in threads, since there they can be stopped', () => {
    expect(resolveOptions({ threads: 4 })).toMatchObject({ threads: { min: 4, max: 4 }, handlerTimeout: 30_000 });
    expect(resolveOptions({ threads: { min: 1, max: 8 }, handlerTimeout: 0 })).toMatchObject({
      threads: { min: 1, max: 8 },
      handlerTimeout: 0,
    });
    expect(resolveOptions()).toMatchObject({ threads: { min: 0, max: 0 } });
  });

  it.each([
    [null, 'options is null, not an object'],
    [{ prot: 80 }, 'unknown option "prot"'],
    [{ threads: -1 }, 'threads is -1, not a whole number from 0 to 512'],
    [{ threads: '4' }, 'threads is string, not a number'],
    [{ threads: { min: 4, max: 2 } }, 'threads.min is 4, not a whole number from 1 to 2'],
    [{ threads: { min: 0, max: 2 } }, 'threads.min is 0, not a whole number from 1 to 2'],
    [{ slowRequest: -1 }, 'slowRequest is -1'],
    [{ pathMode: 0o660 }, 'pathMode has no effect without path'],
    [{ path: '/a', pathMode: 0o1000 }, 'pathMode is 512, not a whole number from 0 to 511'],
    [{ path: '/a', pathMode: '660' }, 'pathMode is string, not a number'],
    [{ port: '80' }, 'port is string, not a number'],
    [{ port: 65_536 }, 'port is 65536, not a whole number from 0 to 65535'],
    [{ port: 1.5 }, 'port is 1.5'],
    [{ workers: -1 }, 'workers is -1'],
    [{ headersTimeout: 0 }, 'headersTimeout is 0'],
    [{ headersTimeout: 2 ** 31 }, 'headersTimeout is 2147483648'],
    [{ maxBodySize: -1 }, 'maxBodySize is -1'],
    [{ maxBodySize: '1mb' }, 'maxBodySize is string'],
    [{ maxMemoryPerWorker: 1 }, 'maxMemoryPerWorker is 1'],
    [{ host: '' }, 'host is empty'],
    [{ path: 5 }, 'path is number, not a string'],
    [{ path: '/a', port: 1 }, 'path is a unix socket and excludes host and port'],
    [{ signals: 1 }, 'signals is number, not a boolean'],
    [{ onError: 'log' }, 'onError is string, not a function'],
    [{ streamBody: true }, 'streamBody is boolean, not a function'],
    [{ trustProxy: '10.0.0.1' }, 'trustProxy is not a list'],
    [{ trustProxy: ['10.0.0.0/33'] }, 'trustProxy holds "10.0.0.0/33"'],
    [{ trustProxy: ['proxy.example'] }, 'neither an address nor a CIDR range'],
    [{ trustProxy: ['10.0.0.0/'] }, 'neither an address nor a CIDR range'],
    [{ trustProxy: ['10.0.0.0/8/8'] }, 'neither an address nor a CIDR range'],
    [{ trustProxy: ['::ffff:10.0.0.0/8'] }, 'neither an address nor a CIDR range'],
    [{ trustProxy: ['fe80::1%eth0'] }, 'neither an address nor a CIDR range'],
    [{ trustProxy: [167772161] }, 'trustProxy holds 167772161'],
    [{ trustProxy: ['unix'] }, 'trustProxy holds "unix", which has no effect without path'],
    [{ trustProxy: ['10.0.0.1'], proxyHeader: 'x-real-ip' }, "proxyHeader is neither 'x-forwarded' nor 'forwarded'"],
    [{ trustProxy: ['10.0.0.1'], proxyHeader: ['forwarded'] }, "proxyHeader is neither 'x-forwarded' nor 'forwarded'"],
    [{ proxyHeader: 'forwarded' }, 'proxyHeader has no effect without trustProxy'],
    [{ tls: true }, 'tls is boolean, not an object with cert and key'],
    [{ tls: {} }, 'tls.cert is missing'],
    [{ tls: { cert: 'a.pem' } }, 'tls.key is missing'],
    [{ tls: { cert: 1, key: 'x' } }, 'tls.cert is number: give PEM text or the path of a file'],
    [{ tls: { cert: ['a'], key: ['b', 'c'] } }, 'tls.cert and tls.key are not lists of the same length: each certificate needs its key'],
    [{ tls: { cert: ['a'], key: 'b' } }, 'tls.cert and tls.key are not lists of the same length'],
    [{ tls: { cert: [], key: [] } }, 'tls.cert is an empty list'],
    [{ tls: { cert: ['a', 1], key: ['b', 'c'] } }, 'tls.cert[1] is number: give PEM text or the path of a file'],
    [{ tls: { cert: ['a'], key: ['b'], ocsp: 'c' } }, 'tls.ocsp is not possible with a list of certificates'],
    [
      { tls: { cert: 'a', key: 'b', names: { 'a.b': { cert: ['a'], key: 'b' } } } },
      'tls.names["a.b"].cert and tls.names["a.b"].key are not',
    ],
    [{ tls: { cert: 'a', key: 'b', alpn: ['h2'] } }, 'tls.alpn is not an option'],
    [{ tls: { cert: 'a', key: 'b', names: 'a' } }, 'tls.names is string'],
    [{ tls: { cert: 'a', key: 'b', clientCertificates: true } }, "tls.clientCertificates is neither 'ask' nor 'require'"],
    [{ tls: { cert: 'a', key: 'b', redirectHttp: 'a' } }, 'tls.redirectHttp is'],
    [{ tls: { cert: 'a', key: 'b', redirectHttp: { port: 1, from: 2 } } }, 'unknown option "from"'],
  ])('refuse %j and say: %s', (options, message) => {
    const error = refusal(options);
    expect(error.message).toMatch(/^Cannot start server: /);
    expect(error.message).toContain(message);
    expect(error.code).toBe('bad-option');
  });
});
