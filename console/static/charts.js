// Draws the charts of a page. Each has its figures in a table or list of the same page as well.
"use strict";

const HEIGHT = 240;

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axis() {
  return { stroke: ink("--soft"), font: `12px ${ink("--fonts")}`, grid: { stroke: ink("--line"), width: 1 } };
}

// Days as people write them who read the page's language.
function days() {
  const written = new Intl.DateTimeFormat(document.documentElement.lang, { year: "2-digit", month: "short", day: "numeric", timeZone: "UTC" });
  return { ...axis(), space: 90, values: (_, ticks) => ticks.map((tick) => written.format(1000 * tick)) };
}

function put(place, options, data) {
  const size = { width: place.clientWidth, height: HEIGHT, legend: { live: false } };
  const chart = new uPlot({ ...size, ...options }, data, place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
}

async function asked(address) {
  const answer = await fetch(address);
  return answer.ok ? answer.json() : null;
}

// Risk as a line, orders as bars.
async function drawCustomer(place) {
  const told = await asked(place.dataset.series);
  if (!told) return;
  const options = {
    scales: { share: { range: [0, 1] }, money: { range: (_, low, high) => [0, high || 1] } },
    axes: [days(), { ...axis(), scale: "share", values: (_, ticks) => ticks.map((tick) => `${Math.round(100 * tick)} %`) }, { ...axis(), scale: "money", side: 1, grid: { show: false } }],
    series: [
      {},
      { label: place.dataset.risk, scale: "share", stroke: ink("--critical"), width: 2, spanGaps: true, points: { show: true } },
      { label: place.dataset.amount, scale: "money", stroke: ink("--main"), fill: ink("--main"), paths: uPlot.paths.bars({ size: [0.2, 12] }), points: { show: false } },
    ],
  };
  put(place, options, [told.at, told.risk, told.amount]);
}

// Several figures over time, each a line.
async function drawLines(place) {
  const told = await asked(place.dataset.lines);
  if (!told) return;
  const names = place.dataset.names.split("|");
  const inks = ["--main", "--high", "--soft"].map(ink);
  const lines = Object.keys(told).filter((key) => key !== "at");
  const options = {
    axes: [days(), axis()],
    series: [{}, ...lines.map((_, place) => ({ label: names[place], stroke: inks[place], width: 2, spanGaps: true }))],
  };
  put(place, options, [told.at, ...lines.map((key) => told[key])]);
}

document.querySelectorAll(".chart[data-series]").forEach(drawCustomer);
document.querySelectorAll(".chart[data-lines]").forEach(drawLines);
