import { describe, expect, it } from 'vitest';
import { listenError } from '../../src/server/socket/listen-error.ts';

const explained = (code: string, place: { host?: string; port?: number; path?: string }): Error => {
  const error = Object.assign(new Error(`listen ${code}`), { code });
  return listenError(error, { host: 'localhost', port: 8000, path: undefined, ...place });
};

describe('an error in listening', () => {
  it.each([
    ['EADDRINUSE', {}, 'port 8000 of localhost is in use (EADDRINUSE): end the program that listens there, or choose another port'],
    ['EACCES', { port: 80 }, 'this user may not listen on port 80 (EACCES): choose a port from 1024 on, or give the program the right to'],
    ['EACCES', { port: 8000 }, 'this user may not listen on port 8000 (EACCES): choose another port'],
    ['EADDRNOTAVAIL', { host: '192.0.2.1' }, 'host 192.0.2.1 is not an address of this machine (EADDRNOTAVAIL): choose one that is'],
    ['EAFNOSUPPORT', { host: '::1' }, 'this machine has no addresses of the family of host ::1 (EAFNOSUPPORT)'],
    ['ENOTFOUND', { host: 'nowhere.invalid' }, 'host nowhere.invalid cannot be resolved to an address (ENOTFOUND): choose localhost'],
    [
      'EADDRINUSE',
      { path: '/run/a' },
      '/run/a is in use (EADDRINUSE): end the server that listens there, or remove the file if it is none',
    ],
    ['EACCES', { path: '/a' }, 'this user may not make a socket at /a (EACCES): make its folder writable'],
    ['ENOENT', { path: '/run/a' }, 'there is no folder for the socket /run/a (ENOENT): create it'],
    ['ESTRANGE', {}, 'listening failed: listen ESTRANGE'],
  ] as const)('%s of %j says what to do, and keeps its code and cause', (code, place, why) => {
    const error = explained(code, place);
    expect(error).toMatchObject({ code, cause: { message: `listen ${code}` } });
    expect(error.message.startsWith(`Cannot start server: ${why}`)).toBe(true);
  });

  it('EACCES of a path whose folder does not exist, as libuv has it, is ENOENT', () => {
    const error = explained('EACCES', { path: '/no such folder/socket' });
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(error.message).toContain('there is no folder for the socket');
  });
});
