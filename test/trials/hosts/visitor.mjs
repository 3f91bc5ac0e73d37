/** What a client has been told of its session, of which nothing may be lost. */

export class Visitor {
  /** @readonly */
  #name;
  #cookie;
  #count = 0;
  /** Requests that have failed, each of which may have counted. */
  #uncertain = 0;

  /** @param {string} name @param {string} cookie */
  constructor(name, cookie) {
    this.#name = name;
    this.#cookie = cookie;
  }

  get headers() {
    return `Cookie: ${this.#cookie}\r\n`;
  }

  /** @param {'me' | 'count'} kind @param {import('../client.mjs').Answer} answer @returns {string | undefined} What is wrong. */
  judge(kind, { body, head = '' }) {
    this.#cookie = cookieOf(head) ?? this.#cookie;
    const due = kind === 'count' ? this.#count + 1 : this.#count;
    const { name, count } = JSON.parse(body);
    const isRight = name === this.#name && count >= due && count <= due + this.#uncertain;
    if (!isRight) return `session lost: ${body} instead of ${this.#name}, ${due}`;
    this.#count = count;
    this.#uncertain = 0;
    return undefined;
  }

  mayHaveCounted() {
    this.#uncertain++;
  }
}

/** The cookie of a session that an answer sets. @param {string} head */
export function cookieOf(head) {
  return /\r\nset-cookie: (session=[^;\r]+|__Host-[^;\r]+)/i.exec(head)?.[1];
}
