/**
 * The regular expressions of a source.
 *
 * @module
 */
import { parseAst } from 'rolldown/parseAst';

/** One literal. */
export interface Expression {
  readonly line: number;
  readonly pattern: string;
  readonly flags: string;
}

/** Finds every literal in the text of a TypeScript file. */
export function expressionsOf(text: string): Expression[] {
  const found: Expression[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isExpression(node)) found.push({ line: text.slice(0, node.start).split('\n').length, ...node.regex });
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text, { lang: 'ts' }));
  return found;
}

function isExpression(node: object): node is { readonly start: number; readonly regex: Omit<Expression, 'line'> } {
  return 'type' in node && node.type === 'Literal' && 'regex' in node;
}
