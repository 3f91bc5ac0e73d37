/** What the browser loads: takes over the page that the server has drawn, with the same facts. */
import { hydrate } from 'preact';
import type { Facts } from './facts.ts';
import { Page } from './page.tsx';

const root = document.querySelector<HTMLElement>('#page');
if (root) hydrate(<Page {...(JSON.parse(root.dataset['facts'] ?? '{}') as Facts)} />, root);
