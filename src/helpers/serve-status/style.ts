/**
 * The style of the status page.
 *
 * @module
 */

/** For a phone first; colors by the browser's preference, each with a contrast of 4.5 and more to what lies behind it. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1c1b1a, #efebe8);
  --paper: light-dark(#faf8f6, #151413);
  --card: light-dark(#ffffff, #1f1d1c);
  --line: light-dark(#e0dad5, #393533);
  --muted: light-dark(#615a55, #b3aaa5);
  --red: light-dark(#b3261e, #ff8a7f);
  --blue: light-dark(#1a5fa8, #7fb8f2);
  --green: light-dark(#1d6b35, #76c98f);
  --amber: light-dark(#855400, #edb75c);
}
* { box-sizing: border-box }
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; padding: .75rem 1rem; border-bottom: 1px solid var(--line) }
main { padding: 0 1rem 2rem; max-width: 90rem; margin: 0 auto }
h1 { font-size: 1.15rem; margin: 0 }
h2 { font-size: 1rem; margin: 1.25rem 0 .5rem }
h3 { font-size: .85rem; font-weight: 600; margin: 0 }
p, figure, ol, ul, pre { margin: 0; padding: 0 }
ol, ul { list-style: none }
#link { font-weight: 600; color: var(--amber) }
#link.live { color: var(--green) }
#link::before { content: "● " / "" }
#summary { color: var(--muted) }
.charts { display: grid; gap: .6rem; grid-template-columns: 1fr 1fr }
figure, .worker, #slowest:not(:empty), #events:not(:empty) { background: var(--card); border: 1px solid var(--line); border-radius: .5rem }
figure { padding: .5rem .6rem; min-width: 0; display: flex; flex-direction: column }
figcaption { display: flex; flex-wrap: wrap; gap: 0 .75rem; justify-content: space-between; align-items: baseline; flex: 1 }
figcaption p { display: flex; flex-wrap: wrap; gap: 0 .6rem; font-size: .8rem }
figcaption p span { white-space: nowrap }
.first { color: var(--blue) }
.second { color: var(--amber) }
.third { color: var(--red) }
svg { display: block; width: 100%; height: 4rem; border-bottom: 1px solid var(--line) }
svg path, svg line { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round }
svg .second { stroke-dasharray: 5 2 }
svg .third { stroke-dasharray: 2 2 }
svg line { stroke: var(--muted); stroke-dasharray: 1 3 }
.scale { display: flex; justify-content: space-between; color: var(--muted); font-size: .75rem }
#workers { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); align-items: start }
.worker > p { color: var(--muted); font-size: .85rem; padding: 0 .75rem .4rem }
.worker > h3 { padding: .5rem .75rem 0 }
.worker li { border-top: 1px solid var(--line) }
.worker button { display: grid; grid-template-columns: 1fr auto; gap: 0 .75rem; width: 100%; padding: .45rem .75rem; border: 0; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer }
.worker button:hover { background: var(--paper) }
.worker button:focus-visible { outline: 2px solid var(--blue); outline-offset: -2px }
.worker b { font-weight: 600 }
.worker .what, .worker .place { grid-column: 1 / -1; overflow-wrap: anywhere }
.state { color: var(--muted) }
.busy .state { color: var(--blue) }
.long .state, .long .what b { color: var(--red) }
.place, .path { font-family: ui-monospace, monospace; font-size: .85rem }
.place { color: var(--red) }
.more { padding: 0 .75rem .6rem; font-size: .85rem }
pre { overflow-x: auto; font: .8rem/1.5 ui-monospace, monospace; background: var(--paper); border: 1px solid var(--line); border-radius: .35rem; padding: .5rem }
#slowest li, #events li { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0 .75rem; padding: .4rem .75rem; overflow-wrap: anywhere }
#slowest li + li, #events li + li { border-top: 1px solid var(--line) }
#slowest li > :nth-child(n + 3) { grid-column: 2 }
li time, .by { color: var(--muted); font-size: .85rem }
.none { color: var(--muted) }
#slowest .none, #events .none { grid-template-columns: 1fr }
@media (max-width: 30rem) {
  #events li { grid-template-columns: 1fr }
}
@media (min-width: 48rem) {
  .charts { grid-template-columns: repeat(3, 1fr); gap: .75rem }
  svg { height: 5rem }
  #slowest li { grid-template-columns: 5.5rem 1fr auto }
  #slowest li > :nth-child(3) { grid-column: 3 }
}
`;
