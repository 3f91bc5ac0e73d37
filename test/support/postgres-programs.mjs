/**
 * The programs of PostgreSQL, as tests and trials start them. They refuse to run as root, so that for root they run as nobody.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const NOBODY = 65_534;
/** Where Debian puts it: not in PATH. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder of its programs; undefined when it is not installed. @type {string | undefined} */
export const POSTGRES = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : []),
].find((folder) => existsSync(join(folder, 'initdb')));

/** What makes a program run as somebody who may do nothing else, when we are root. @returns {{ uid?: number, gid?: number }} */
export function asNobody() {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/** A new folder for programs that run so. @param {string} prefix @returns {string} */
export function makeFolder(prefix) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** Makes an empty database in a folder of its own. @returns {string} The folder. */
export function makeDatabase() {
  const folder = makeFolder('filrouge-postgres-');
  const flags = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync', `--pgdata=${join(folder, 'data')}`];
  execFileSync(join(POSTGRES ?? '', 'initdb'), flags, { ...asNobody(), cwd: folder, stdio: 'pipe' });
  return folder;
}

/**
 * Starts a server for it. It is ready when it says "ready to accept connections" on its stderr. SIGQUIT ends it at once, with all its processes.
 *
 * @param {string} folder From `makeDatabase`; its socket is there as well.
 * @param {number} port On 127.0.0.1.
 */
export function spawnPostgres(folder, port) {
  const flags = ['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-c', 'fsync=off'];
  return spawn(join(POSTGRES ?? '', 'postgres'), flags, { ...asNobody(), cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}
