/**
 * Classes whose objects are no values, although JSON can be made of them: `{}`, or what is inside. JSON knows no such class, so that each says it itself.
 *
 * @module
 */

/** What is refused, as in `a request`, and what to do instead. */
interface Instead {
  readonly what: string;
  readonly advice: string;
}

const INSTEAD: unique symbol = Symbol('instead of JSON');

/** Says of a class that its objects have no JSON form. */
export function sayNoJson({ prototype }: { readonly prototype: object }, what: string, advice: string): void {
  Object.defineProperty(prototype, INSTEAD, { value: { what, advice } satisfies Instead });
}

/** What the class of a value has said; undefined for any other value. What lies inside of it is not looked at. */
export function insteadOfJson(value: unknown): Instead | undefined {
  return (value as { readonly [INSTEAD]?: Instead } | null | undefined)?.[INSTEAD];
}
