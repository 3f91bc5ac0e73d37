/**
 * The secrets that cookies are signed or sealed with.
 *
 * @module
 */
import { badOption, checkString } from '../../http/errors/bad-option.ts';

/** RFC 5869 wants good key material: as long as the key, 32 bytes. */
const MIN_SECRET = 32;

/**
 * Checks a secret, or several of which the first makes new cookies and all are accepted.
 *
 * @throws TypeError (code `bad-option`) when there is none, or one that could be guessed.
 */
export function checkedSecrets(subject: string, secret: unknown): readonly string[] {
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
  if (secrets.length === 0) throw badOption(subject, 'there is no secret');
  return secrets.map((one) => {
    if (one === undefined) throw badOption(subject, 'secret is undefined: set the variable in the environment that holds it');
    checkString(subject, 'secret', one);
    const text = one as string;
    const size = Buffer.byteLength(text);
    if (size >= MIN_SECRET) return text;
    throw badOption(
      subject,
      `secret has ${size} bytes, not at least ${MIN_SECRET}: take what "openssl rand -base64 32" prints, and keep it out of the source`,
    );
  });
}
