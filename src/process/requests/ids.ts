/**
 * The ids that requests were given: by whoever asks for one first, and for whoever reports about the request later.
 *
 * @module
 */

const ids = new WeakMap<object, string>();

/** The id of a request; undefined when nobody has asked for one. @param request As it came, not a cut of it. */
export function idOf(request: object): string | undefined {
  return ids.get(request);
}

/** The id of a request; one that has none gets a random UUID (version 4). @param request As it came, not a cut of it. */
export function idFor(request: object): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const id = crypto.randomUUID();
  ids.set(request, id);
  return id;
}

/** Gives a request its id. */
export function setId(request: object, id: string): void {
  ids.set(request, id);
}
