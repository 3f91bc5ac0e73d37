/** What the server loads: draws the page. Preact escapes the facts, in the attribute as in the text. */
import { renderToString } from 'preact-render-to-string';
import type { Facts } from './facts.ts';
import { Page } from './page.tsx';

export function render(facts: Facts): string {
  return renderToString(
    <div id="page" data-facts={JSON.stringify(facts)}>
      <Page {...facts} />
    </div>,
  );
}
