// The board works without this. With it the heat map is walked with arrow keys, tells more on hover and focus, and
// the page renews itself while somebody looks at it.
"use strict";

const RENEWED_AFTER_MS = 30_000;

// A cell's words are shown by us, at once and also on focus, in the place of the browser's own tooltip.
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("aria-hidden", "true"); // the cell's own label says the same
tip.hidden = true;
let shown = null; // the cell that it tells
document.body.append(tip);

function showTip(cell) {
  tip.textContent = cell.getAttribute("aria-label");
  shown = cell;
  tip.hidden = false;
  const place = cell.getBoundingClientRect();
  const left = Math.min(place.left, document.documentElement.clientWidth - tip.offsetWidth - 12);
  const above = place.top > tip.offsetHeight + 14;
  tip.style.left = `${Math.max(left, 8) + window.scrollX}px`;
  tip.style.top = `${(above ? place.top - tip.offsetHeight - 7 : place.bottom + 7) + window.scrollY}px`;
}

function hideTip() {
  shown = null;
  tip.hidden = true;
}

// One place of the map is in the tab order, of hundreds; arrow keys go to its neighbours, sessions and their cells, Home
// and End to the ends of its row.
const PLACES = "table.heat td a";

function placesOf(map) {
  return [...map.tBodies[0].rows]
    .map((row) => [...row.querySelectorAll("td a")])
    .filter((cells) => cells.length);
}

function prepareMap() {
  const places = document.querySelectorAll(PLACES);
  for (const place of places) {
    place.removeAttribute("title");
    place.tabIndex = -1;
  }
  if (places.length) places[0].tabIndex = 0;
}

function enter(cell) {
  for (const other of document.querySelectorAll(`${PLACES}[tabindex="0"]`)) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
  const cell = event.target.closest?.(PLACES);
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = placesOf(cell.closest("table"));
  const row = rows.findIndex((cells) => cells.includes(cell));
  const column = rows[row].indexOf(cell);
  let next;
  if (event.key in STEPS) {
    const [down, right] = STEPS[event.key];
    const cells = rows[row + down];
    next = cells && cells[down ? Math.min(column, cells.length - 1) : column + right];
  } else if (event.key === "Home") next = rows[row][0];
  else if (event.key === "End") next = rows[row].at(-1);
  else return;
  event.preventDefault();
  if (next) enter(next);
});

for (const kind of ["mouseover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const cell = event.target.closest?.(PLACES);
    if (cell) showTip(cell);
    else if (kind === "mouseover") hideTip();
  });
}
document.addEventListener("focusout", hideTip);
// Focus may scroll to its cell: the tip goes with it. Under a pointer there is another cell now.
window.addEventListener(
  "scroll",
  () => (shown && shown === document.activeElement ? showTip(shown) : hideTip()),
  { passive: true, capture: true },
);

// The same page is asked for again, and what it shows takes the place of what is there: focus, open details and
// places of scrolling stay. While nobody looks, or somebody fills in the filter, it waits.
function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute?.("href");
  if (href) return `a[href="${CSS.escape(href)}"]`;
  return element.getAttribute?.("aria-label") ? `[aria-label="${CSS.escape(element.getAttribute("aria-label"))}"]` : null;
}

// A chart whose data are the same stays as it is, with what is chosen and zoomed in it.
function keepCharts(main, fresh) {
  for (const figure of main.querySelectorAll("figure.chart.watched")) {
    const other = fresh.getElementById(figure.id);
    const spec = (found) => found?.querySelector("script.spec")?.textContent;
    if (spec(figure) && spec(figure) === spec(other)) other.replaceWith(figure);
  }
}

function swap(fresh) {
  hideTip();
  const main = document.getElementById("main");
  // Parsed without scripting, what stands in for scripts is elements, and pictures among them would be loaded.
  for (const instead of fresh.querySelectorAll("noscript")) instead.remove();
  keepCharts(main, fresh);
  const focused = main.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const scrolled = [...main.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  const open = [...main.querySelectorAll("details")].map((details) => details.open);
  const sorts = [...main.querySelectorAll("table.sortable")].map(sortedBy);
  main.replaceChildren(...fresh.getElementById("main").childNodes);
  document.querySelector(".asof").replaceChildren(...fresh.querySelector(".asof").childNodes);
  document.querySelector(".asof").classList.remove("stale");
  document.title = fresh.title;
  [...main.querySelectorAll(".scroll")].forEach((box, i) => scrolled[i] && box.scrollTo(...scrolled[i]));
  [...main.querySelectorAll("details")].forEach((details, i) => { details.open = open[i] ?? details.open; });
  prepareMap();
  prepareCommands();
  const sorted = [...main.querySelectorAll("table.sortable")];
  prepareTables();
  sorts.forEach(([column, direction], i) => column >= 0 && sorted[i] && sort(sorted[i], column, direction));
  document.dispatchEvent(new Event("renewed"));
  const again = focused && main.querySelector(focused);
  if (again?.matches(PLACES)) enter(again);
  else again?.focus({ preventScroll: true });
}

// The page of a session comes before its charts, which take a second where nobody has looked at them yet.
const isPending = () => document.getElementById("pending") !== null;

function drawn() {
  const address = new URL(location.href);
  address.searchParams.set("drawn", "1");
  return address;
}

async function renew() {
  if (document.hidden || document.activeElement?.closest("form")) return;
  try {
    const answer = await fetch(isPending() ? drawn() : location.href, { cache: "no-store" });
    if (!answer.ok && isPending()) location.replace(drawn()); // it says why there are no charts
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!document.activeElement?.closest("form")) swap(fresh);
  } catch {
    document.querySelector(".asof").classList.add("stale"); // what is shown stays, with its time
  }
}

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (plain && event.target.id === "reload" && document.querySelector(".asof time")) {
    event.preventDefault();
    renew();
  }
});

// A command is copied with a button, where the browser lets a page do so; without it one click selects all of it.
function prepareCommands() {
  if (!navigator.clipboard) return;
  for (const code of document.querySelectorAll(".command code:only-child")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${code.textContent}`);
    code.after(button);
  }
}

document.addEventListener("click", async (event) => {
  if (!event.target.matches?.(".copy")) return;
  try {
    await navigator.clipboard.writeText(event.target.previousElementSibling.textContent);
    event.target.textContent = "Copied";
  } catch {
    event.target.textContent = "Not allowed";
  }
});

prepareMap();
prepareCommands();
if (document.querySelector(".asof time")) {
  if (isPending()) renew();
  setInterval(renew, RENEWED_AFTER_MS);
  document.addEventListener("visibilitychange", renew);
}
