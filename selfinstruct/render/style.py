"""The look of the report page: one style sheet, light and dark, for wide and narrow screens and for paper."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fcfbf9; --card: #ffffff; --ink: #1d1c1a; --soft: #6a665f; --line: #e4e0d8;
  --grown: #0f766e; --short: #b45309; --track: #ece8e0; --mark: #d5f0ea; --bad: #9f3a38; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #141517; --card: #1b1d20; --ink: #e9e6e1; --soft: #9c978f; --line: #2d3034;
  --grown: #3fbfae; --short: #e0a04a; --track: #2a2d31; --mark: #17483f; --bad: #e08f8a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3.5rem 1.5rem 4rem; }
h1 { font-size: 2.6rem; line-height: 1.15; letter-spacing: -.02em; margin: .1rem 0 .6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 3.2rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 0 0 .4rem; }
p { margin: .4rem 0; }
.kind, .soft, figcaption, th { color: var(--soft); }
.kind { margin: 0; font-size: .9rem; }
.lead { font-size: 1.2rem; }
.lead.short { color: var(--short); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem; margin: 2rem 0 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
.figures small { display: block; font-size: .8rem; color: var(--soft); letter-spacing: 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 500; font-size: .85rem; text-align: left; padding: .2rem .6rem .4rem 0; }
td { padding: .45rem .6rem .45rem 0; border-top: 1px solid var(--line); vertical-align: middle; }
td.name { width: 46%; overflow-wrap: anywhere; }
td.wide { width: 26%; }
.number { text-align: right; white-space: nowrap; padding-right: 0; padding-left: .6rem; }
.tag { color: var(--short); font-size: .8rem; border: 1px solid; border-radius: 1rem; padding: 0 .5rem;
  white-space: nowrap; }
svg { display: block; width: 100%; }
.bar { height: .55rem; border-radius: .3rem; }
.track { fill: var(--track); }
rect.grown { fill: var(--grown); }
rect.short { fill: var(--short); }
rect.bad { fill: var(--bad); }
rect.hover { fill: transparent; }
rect.hover:hover { fill: var(--ink); fill-opacity: .06; }
.chart .axis { stroke: var(--line); fill: none; }
.chart .seeds { stroke: var(--ink); stroke-width: 1.25; fill: none; stroke-linejoin: round; }
.chart text { fill: var(--soft); font-size: 11px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 2rem 2.5rem; }
figure { margin: 0; }
figcaption { font-size: .85rem; }
.key { display: inline-block; width: 1rem; height: .6rem; margin: 0 .3rem 0 .9rem; }
.key rect { fill: var(--grown); }
.key path { stroke: var(--ink); stroke-width: 2; fill: none; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .9rem 1.1rem; margin: .8rem 0; }
article header { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.fields { margin: .4rem 0 0; display: grid; grid-template-columns: minmax(4rem, max-content) 1fr; gap: .25rem 1rem; }
.fields dt { color: var(--soft); overflow-wrap: anywhere; max-width: 12rem; }
.fields dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: var(--mark); color: inherit; border-radius: .2rem; padding: 0 .1rem; }
code, pre { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .9rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: .3rem 0; }
summary { cursor: pointer; color: var(--soft); }
.reason { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr 6rem; gap: 0 1rem; align-items: center; }
.reason + details { margin: 0 0 1rem; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) {
  main { padding: 2rem 1rem; }
  h1 { font-size: 2rem; }
  td.wide, th.wide { display: none; }
  td.name { width: auto; }
  .fields { grid-template-columns: 1fr; gap: 0; }
  .fields dd { margin-bottom: .5rem; }
  .reason { grid-template-columns: 1fr 5rem; }
  .reason svg { display: none; } }
@media print { body { background: none; } main { max-width: none; padding: 0; } article { break-inside: avoid; } }
"""
