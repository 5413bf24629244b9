"""The page's only style sheet: light, dark, and A4 in print. Fonts are the reader's own, for nothing is fetched."""

from typing import Final

CSS: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --line: #d0d7de; --wash: #f3f5f8;
  --c1: #0b5fa5; --c2: #b35900; --c3: #6b7280; --c4: #1a7f5a; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a2acb8; --paper: #14181d; --line: #39424d;
  --wash: #1d232a; --c1: #6cb6ff; --c2: #ffa657; --c3: #9aa5b1; --c4: #5bd6a2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 1.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .5rem; padding-top: .8rem; border-top: 2px solid var(--line); }
p, ul { margin: .5rem 0; } li { margin: .25rem 0; }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; }
.verdict { background: var(--wash); border-left: 6px solid var(--c1); padding: .9rem 1.1rem; margin: 1rem 0; }
.verdict strong { font-size: 1.15rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; margin: 1rem 0; padding: 0; }
.tiles li { list-style: none; margin: 0; border: 1px solid var(--line); padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.3; }
figure { margin: 1.2rem 0; break-inside: avoid; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
svg text { fill: var(--ink); } svg .title { font-size: 14.5px; font-weight: 650; } svg .name { fill: var(--soft); }
.right { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: .7; } .axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .stroke { stroke-width: 1.6; }
.s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); stroke-dasharray: 7 3; } .s3 { stroke: var(--c3); stroke-dasharray: 2 3; }
.s4 { stroke: var(--c4); stroke-dasharray: 10 3 2 3; }
.s5 { stroke: var(--soft); } .line.s5 { stroke-width: 1; }
.bar, .mark { stroke: var(--paper); stroke-width: .6; stroke-dasharray: none; }
.bar.s1, .mark.s1 { fill: var(--c1); } .bar.s2, .mark.s2 { fill: var(--c2); } .bar.s3, .mark.s3 { fill: var(--c3); }
.bar.s4, .mark.s4 { fill: var(--c4); }
.bar.s2 { fill-opacity: .75; } .bar.s3 { fill-opacity: .45; } .bar.s4 { fill-opacity: .9; } .stroke { stroke-dasharray: none; }
.mark.open { fill: none; stroke-width: 2; } .mark.open.s1 { stroke: var(--c1); } .mark.open.s2 { stroke: var(--c2); }
.mark.open.s3 { stroke: var(--c3); } .mark.open.s4 { stroke: var(--c4); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; margin: 1rem 0; break-inside: avoid;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: right; }
th { font-weight: 600; } th:first-child { text-align: left; overflow-wrap: anywhere; min-width: 8.5em; }
@page { size: A4; margin: 15mm; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } h2 { break-after: avoid; }
  .verdict, .tiles, tr { break-inside: avoid; } .wide { overflow: visible; }
  table { font-size: 8pt; } th, td { padding: .15rem .3rem; }
  svg, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
