/** Passwords: only the result of scrypt is kept. It is slow on purpose; with handler threads it keeps nobody else waiting. */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const SIZE = 32;
/** An unknown name is checked like the others: the time must not reveal whether it exists. */
const NOBODY = `nobody:${Buffer.alloc(SIZE).toString('base64url')}`;

export function hashPassword(password: string): string {
  const salt = randomBytes(16).toString('base64url');
  return `${salt}:${scryptSync(password, salt, SIZE).toString('base64url')}`;
}

export function isPassword(password: string, kept: string = NOBODY): boolean {
  const [salt = '', hash = ''] = kept.split(':');
  return timingSafeEqual(scryptSync(password, salt, SIZE), Buffer.from(hash, 'base64url'));
}
