// Draws the charts of a page. Each has its figures in a table or list of the same page as well.
"use strict";

const HEIGHT = 240;

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

async function draw(place) {
  const answer = await fetch(place.dataset.series);
  if (!answer.ok) return;
  const { at, risk, amount } = await answer.json();
  const axis = { stroke: ink("--soft"), grid: { stroke: ink("--line"), width: 1 } };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { share: { range: [0, 1] }, money: { range: (_, low, high) => [0, high || 1] } },
    axes: [axis, { ...axis, scale: "share", values: (_, ticks) => ticks.map((tick) => `${Math.round(100 * tick)} %`) }, { ...axis, scale: "money", side: 1, grid: { show: false } }],
    series: [
      {},
      { label: place.dataset.risk, scale: "share", stroke: ink("--critical"), width: 2, spanGaps: true, points: { show: true } },
      { label: place.dataset.amount, scale: "money", stroke: ink("--main"), fill: ink("--main"), paths: uPlot.paths.bars({ size: [0.2, 12] }), points: { show: false } },
    ],
  };
  const chart = new uPlot(options, [at, risk, amount], place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
}

document.querySelectorAll(".chart[data-series]").forEach(draw);
