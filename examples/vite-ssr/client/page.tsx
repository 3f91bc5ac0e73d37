/** The page, drawn by the server first and taken over by the browser. Edit it while the development server runs. */
import { useState } from 'preact/hooks';
import type { Facts } from './facts.ts';

export function Page({ name }: Facts) {
  return (
    <main>
      <h1>hello, {name}</h1>
      <Counter />
    </main>
  );
}

function Counter() {
  const [count, setCount] = useState(0);
  return (
    <button type="button" onClick={() => setCount(count + 1)}>
      clicked: {count}
    </button>
  );
}
