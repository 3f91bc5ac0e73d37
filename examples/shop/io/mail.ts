/**
 * The job that sends mail: it works off the table `mail`, beside the requests. A letter goes to MAIL_FOLDER as a file of RFC 5322, where a mail server
 * picks it up. To send by SMTP, put the call of a client such as nodemailer in the place of `deliver`; all else stays.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endTransaction, openTransaction } from './pool.ts';

interface Letter {
  id: string;
  recipient: string;
  subject: string;
  body: string;
}

const FOLDER = process.env['MAIL_FOLDER'] ?? 'mail';
const NEXT = 'select id, recipient, subject, body from mail where due <= now() order by id limit 1 for update skip locked';
const LATER = "update mail set attempts = attempts + 1, due = now() + (attempts + 1) * interval '1 minute' where id = $1";

let work: Promise<void> | undefined;
const timer = setInterval(sendMail, 1000); // for what another process, or an earlier run, has left

/** Begins to work off what is due. Nobody waits for it: the page is there before the letter. */
export function sendMail(): void {
  work ??= sendAll()
    .catch((error: unknown) => console.error('mail waits:', error instanceof Error ? error.message : error)) // until the database is back
    .finally(() => {
      work = undefined;
    });
}

/** What is under way is finished. */
export async function stopMail(): Promise<void> {
  clearInterval(timer);
  await work;
}

async function sendAll(): Promise<void> {
  while (await sendOne());
}

/**
 * The row is locked while its letter is sent, and other processes skip it. A process that dies between `deliver` and `commit` leaves the row: the letter
 * is delivered again, under the same name and Message-ID. Nothing is lost, and what has come twice can be known as one.
 */
async function sendOne(): Promise<boolean> {
  const client = await openTransaction();
  try {
    const [letter] = (await client.query<Letter>(NEXT)).rows;
    if (!letter) return false;
    try {
      await deliver(letter);
      await client.query('delete from mail where id = $1', [letter.id]);
    } catch (error) {
      console.error(`letter ${letter.id} waits:`, error instanceof Error ? error.message : error);
      await client.query(LATER, [letter.id]);
    }
    await client.query('commit');
    return true;
  } finally {
    await endTransaction(client);
  }
}

async function deliver({ id, recipient, subject, body }: Letter): Promise<void> {
  const head = [
    'From: Fil rouge <shop@example.com>',
    `To: <${recipient}>`, // no line break and no bracket: pages/login.ts has checked
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}.mail@shop.example.com>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
  ];
  const lines = Buffer.from(body.replaceAll('\n', '\r\n')).toString('base64').replace(/.{76}/g, '$&\r\n');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${id}.new`), `${head.join('\r\n')}\r\n\r\n${lines}\r\n`);
  await rename(join(FOLDER, `${id}.new`), join(FOLDER, `${id}.eml`)); // never half a letter
}
