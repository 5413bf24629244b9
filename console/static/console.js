// What the pages do beyond links and forms: proof with every action, rows that change while they are looked at, keys.
"use strict";

const KEYS = { a: "acknowledged", c: "contacted", y: "accepted", n: "declined", s: "snoozed", f: "false_alarm" };
const CHANGES_AT_ONCE_MAX = 20;
const FROM_THE_END = 5;

document.addEventListener("htmx:configRequest", (event) => {
  const csrf = document.querySelector('meta[name="csrf"]');
  if (csrf) event.detail.headers["x-csrf-token"] = csrf.content;
});

// An error's answer is not swapped into the table: it is said where screen readers hear it.
document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  tell(answer.body.textContent.trim());
});

document.addEventListener("htmx:afterSwap", () => markFocus());

function tell(text) {
  document.getElementById("told").textContent = text;
}

// A table that is wider than its card is moved sideways; whoever has no mouse gets there by Tab.
const reachable = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    const wide = target.scrollWidth > target.clientWidth;
    target.toggleAttribute("tabindex", wide);
    if (wide) target.tabIndex = 0;
  }
});
function watchCards(root) {
  for (const card of root.querySelectorAll(".card")) {
    const title = card.querySelector("h2");
    if (title) card.setAttribute("aria-label", title.textContent);
    reachable.observe(card);
  }
}
watchCards(document);
// What comes later, part by part, has cards of its own.
document.addEventListener("htmx:load", (event) => watchCards(event.detail.elt.parentElement ?? document));

// -- live ------------------------------------------------------------------------------------------------------------

let arrived = 0;

function changed(episodes) {
  const rows = episodes === null ? [] : episodes.map((id) => document.getElementById(`e-${id}`)).filter(Boolean);
  for (const row of rows.slice(0, CHANGES_AT_ONCE_MAX)) {
    htmx.ajax("GET", `/alerts/${encodeURIComponent(row.dataset.episode)}`, { target: row, swap: "outerHTML" });
  }
  arrived += (episodes === null ? 1 : episodes.length) - rows.length;
  const button = document.getElementById("arrived");
  if (button && arrived > 0) {
    button.textContent = button.dataset.text.replace("#", String(arrived));
    button.hidden = false;
  }
}

if (document.getElementById("filters") || document.getElementById("inbox")) {
  const stream = new EventSource("/changes");
  stream.addEventListener("changed", (event) => changed(JSON.parse(event.data)));
  document.getElementById("arrived")?.addEventListener("click", () => location.reload());
}

// -- keys ------------------------------------------------------------------------------------------------------------

let focused = null;

function markFocus() {
  if (!focused) return;
  const row = document.getElementById(focused);
  if (row && document.activeElement === document.body) row.focus({ preventScroll: true });
}

// Whoever goes through the list by keys never sees its end: the next rows are there before.
function more() {
  const button = document.querySelector(".more button:not([data-asked])");
  if (!button) return;
  button.dataset.asked = "";
  button.click();
}

function move(row, by) {
  const rows = [...document.querySelectorAll("tr[data-episode]")];
  const place = row ? rows.indexOf(row) + by : 0;
  if (place >= rows.length - FROM_THE_END) more();
  const next = rows[Math.max(0, Math.min(place, rows.length - 1))];
  if (next) {
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("tr[data-episode]");
  if (row) focused = row.id;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (!document.getElementById("inbox")) return;
  const row = event.target.closest("tr[data-episode]");
  if (event.key === "j" || event.key === "k") {
    move(row, event.key === "j" ? 1 : -1);
  } else if (row && (event.key === "o" || (event.key === "Enter" && event.target === row))) {
    row.querySelector("a").click();
  } else if (row && KEYS[event.key]) {
    const button = row.querySelector(`[data-act="${KEYS[event.key]}"]`);
    if (button) button.click();
  } else {
    return;
  }
  event.preventDefault();
});
