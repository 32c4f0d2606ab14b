"""The style sheet of the report page: light or dark as the reader's device asks."""

from typing import Final

STYLE: Final = """
:root {
  --paper: #f5f6f8; --card: #ffffff; --ink: #1c2430; --soft: #596675; --line: #e1e5ea;
  --accent: #0067a3; --bar: #d3e6f3; --wrong: #b14400;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1b2129; --ink: #e7ebf0; --soft: #9fabb9; --line: #2e3743;
    --accent: #6db8ea; --bar: #1d4a68; --wrong: #f39a63;
  }
  /* The charts are dark on transparent: turned over, with their hues turned back. */
  .chart img { filter: invert(0.92) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2rem clamp(0.9rem, 3vw, 2rem) 0; }
footer { max-width: 68rem; margin: 0 auto; padding: 1.5rem clamp(0.9rem, 3vw, 2rem) 2.5rem; }
header p, footer, small, dt, summary { color: var(--soft); }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.7rem; }
header p { margin: 0.3rem 0 1.4rem; }
header .note { border-left: 3px solid var(--wrong); padding-left: 0.7rem; }
dl, dd, figure { margin: 0; }
.tiles { display: grid; gap: 0.7rem; grid-template-columns: repeat(auto-fit, minmax(9.6rem, 1fr)); }
.tile, .chart, .scroll, .facts, details {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem;
}
.tile { padding: 0.8rem 0.9rem; }
.tile dt { font-size: 0.82rem; white-space: nowrap; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile small { display: block; font-size: 0.78rem; line-height: 1.35; }
.tile.main { border-top: 3px solid var(--accent); }
.tile.main b { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.42rem 0.8rem; text-align: right; white-space: nowrap; }
th:first-child { text-align: left; }
thead th { color: var(--soft); font-size: 0.85rem; font-weight: 600; }
tbody th { font-weight: 500; }
tbody tr { border-top: 1px solid var(--line); }
tbody + tbody tr:first-child { border-top: 2px solid var(--soft); }
.scores th:not(:first-child) { width: 21%; }
.bar {
  background: linear-gradient(var(--bar), var(--bar)) 0 50% no-repeat;
  background-size: calc((100% - 3.4rem) * var(--share)) 66%;
  background-origin: content-box;
}
.charts { display: grid; gap: 0.9rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.chart { padding: 0.8rem; display: grid; place-items: center; }
.chart:last-child:nth-child(odd) { grid-column: 1 / -1; }
.chart img { width: 100%; height: auto; }
.faces {
  display: grid; gap: 0.8rem;
  grid-template-columns: repeat(6, minmax(0, 1fr));
}
.face img { display: block; width: 100%; border-radius: 0.4rem; }
.face figcaption { font-size: 0.85rem; line-height: 1.3; margin-top: 0.3rem; }
.face.right figcaption { color: var(--accent); }
.face.wrong figcaption { color: var(--wrong); }
details { padding: 0.7rem 1rem; }
details .scroll { margin-top: 0.6rem; border: 0; }
summary { cursor: pointer; }
.facts { padding: 0.3rem 1rem; }
.facts div {
  display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: 0 1rem; padding: 0.4rem 0;
}
.facts div + div { border-top: 1px solid var(--line); }
.facts dd { overflow-wrap: anywhere; }
@media (max-width: 46rem) {
  .charts { grid-template-columns: minmax(0, 1fr); }
  .chart { padding: 0.4rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .faces { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .tile.main, .tile:last-child { grid-column: 1 / -1; }
  th, td { padding: 0.4rem 0.45rem; }
  .scores { font-size: 0.86rem; }
  .scores th, .scores td { padding: 0.4rem 0.35rem; }
  .scores .bar { background-size: calc(100% * var(--share)) 3px; background-position: 0 100%; }
}
@media print {
  body { background: none; }
  .tile, .chart, .face, tr { break-inside: avoid; }
}
"""
