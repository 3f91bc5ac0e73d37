/**
 * How many requests were answered with what, and how soon: by route, method and status.
 *
 * It is in the path of every request, so to count one is to find a row and to add to it. The number of rows is bounded whatever routes a program
 * makes up, and whatever methods its clients send.
 *
 * @module
 */
import { DurationTally } from '../../process/durations.ts';
import { type Answered, MAX_ROUTES, NONE, OTHER } from '../../process/server-status.ts';

/** Methods that have rows of their own: those of RFC 9110 §9.3, and PATCH (RFC 5789). */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Rows at most, but for those of what has none of its own. */
const MAX_ROWS = 1000;

/** The requests of one route that were answered alike. */
interface Row {
  /** Undefined: no pattern has matched. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
  count: number;
  readonly durations: DurationTally | undefined;
}

/** Counts answers. */
export class AnswerTally {
  /** Most routes are answered in few ways: their rows are looked through. */
  readonly #routes: Map<string | undefined, Row[]> = new Map([
    [undefined, []],
    [OTHER, []],
  ]);
  #rows = 0;
  /** The row of the last answer: often that of the next one. */
  #last: Row = { route: undefined, method: '', status: 0, count: 0, durations: undefined };
  readonly #isTimed: boolean;

  /** @param isTimed Whether it is known how long requests have taken. */
  constructor(isTimed: boolean) {
    this.#isTimed = isTimed;
  }

  /** Counts an answer. @param route The pattern that matched; undefined when none has. */
  add(route: string | undefined, method: string, status: number, seconds: number): void {
    let row = this.#last;
    if (row.status !== status || row.route !== route || row.method !== method) {
      row = this.#find(route, method, status) ?? this.#rowFor(route, method, status);
      this.#last = row;
    }
    row.count++;
    if (row.durations !== undefined) row.durations.add(seconds);
  }

  /** All answers. */
  get count(): number {
    let sum = 0;
    for (const rows of this.#routes.values()) for (const row of rows) sum += row.count;
    return sum;
  }

  /** What has been counted. */
  read(): Answered[] {
    return [...this.#routes].flatMap(([route = NONE, rows]) =>
      rows.map(({ method, status, count, durations }) => ({ route, method, status, count, durations: durations?.read() })),
    );
  }

  /** The row of a kind of answer that is new, or has none of its own. */
  #rowFor(route: string | undefined, method: string, status: number): Row {
    const ownRoute = this.#routes.has(route) || this.#routes.size < MAX_ROUTES + 2 ? route : OTHER;
    const ownMethod = METHODS.has(method) ? method : OTHER;
    return this.#find(ownRoute, ownMethod, status) ?? this.#add(ownRoute, ownMethod, status);
  }

  #find(route: string | undefined, method: string, status: number): Row | undefined {
    const rows = this.#routes.get(route);
    if (rows === undefined) return undefined;
    for (const row of rows) if (row.status === status && row.method === method) return row;
    return undefined;
  }

  #add(route: string | undefined, method: string, status: number): Row {
    if (this.#rows === MAX_ROWS) {
      const rounded = status - (status % 100);
      return this.#find(OTHER, OTHER, rounded) ?? this.#insert(OTHER, OTHER, rounded);
    }
    this.#rows++;
    return this.#insert(route, method, status);
  }

  #insert(route: string | undefined, method: string, status: number): Row {
    const row: Row = { route, method, status, count: 0, durations: this.#isTimed ? new DurationTally() : undefined };
    const rows = this.#routes.get(route);
    if (rows) rows.push(row);
    else this.#routes.set(route, [row]);
    return row;
  }
}
