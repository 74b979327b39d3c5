// Draws the charts of a page in the browser, from the data that stand in the page, when they come into view. They follow
// the width and the colour scheme. Without this script the page has pictures or tables in their place.
const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW_PX = 640;
const SETTLED_AFTER_MS = 150;
const PLOT_OF_MAP = 0.84; // the share of its width that a map's height was made for; the rest is its legend
const PACKED_PX = 4; // the height of a row of the grid, of which a figure takes as many as it needs

const configs = JSON.parse(document.getElementById("chart-configs")?.textContent ?? "null");
const drawn = new WeakMap(); // figure: its view, and the width at which it was drawn

// What the pointer is at, in an element of ours: Vega's own tooltip would need a style of its own.
const tip = document.createElement("div");
tip.className = "tip chart-tip";
tip.setAttribute("aria-hidden", "true"); // the table below each chart has the numbers
tip.hidden = true;
document.body.append(tip);

function hideTip() {
  tip.hidden = true;
}

function showTip(_handler, event, _item, value) {
  if (value === null || value === undefined || value === "") return hideTip();
  const pairs = typeof value === "object" ? Object.entries(value) : [[null, value]];
  tip.replaceChildren(
    ...pairs
      .filter(([, text]) => text !== null && text !== undefined && !["", "null", "undefined", "NaN"].includes(String(text)))
      .map(([name, text]) => {
        const line = document.createElement("p");
        if (name !== null) line.append(Object.assign(document.createElement("span"), { textContent: name }));
        line.append(Object.assign(document.createElement("b"), { textContent: String(text) }));
        return line;
      }),
  );
  tip.hidden = false;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const beside = event.clientX + 16 > room ? event.clientX - tip.offsetWidth - 16 : event.clientX + 16;
  const above = Math.max(event.clientY - tip.offsetHeight - 12, 8);
  tip.style.left = `${Math.max(Math.min(beside, room), 8) + window.scrollX}px`;
  tip.style.top = `${above + window.scrollY}px`;
}

// The scheme's configuration, on the paper of the figure; in a narrow chart the legend stands below it.
function configFor(figure, width) {
  const config = structuredClone(configs[DARK.matches ? "dark" : "light"]);
  const paper = getComputedStyle(figure).backgroundColor;
  config.background = "transparent";
  for (const style of Object.values(config.style ?? {})) {
    for (const channel of ["fill", "stroke"]) if (style[channel] === configs[DARK.matches ? "dark" : "light"].background) style[channel] = paper;
  }
  if (width < NARROW_PX) {
    config.legend = { ...config.legend, orient: "bottom", columns: Math.max(Math.floor(width / 72), 2), columnPadding: 8 };
    config.axis = { ...config.axis, labelLimit: 90 };
  }
  return config;
}

// The laps of the address are where the charts over laps begin; from there they can be zoomed as ever.
function lapsOf(address) {
  const laps = new URLSearchParams(address.search).get("laps")?.match(/^(\d+)-(\d+)$/);
  return laps && [Number(laps[1]) - 0.5, Number(laps[2]) + 0.5];
}

function* partsOf(spec) {
  yield spec;
  for (const kind of ["layer", "vconcat", "hconcat", "concat"]) for (const part of spec[kind] ?? []) yield* partsOf(part);
}

function zoomed(spec, laps) {
  for (const part of partsOf(spec)) {
    for (const param of part.params ?? []) {
      if (param.bind === "scales" && part.encoding?.x?.field === "lap") param.value = { x: laps };
    }
  }
}

// What two channels of the same field say differently, Vega-Lite writes to the console and then settles as here.
function settled(spec) {
  for (const group of [...partsOf(spec)]) {
    const channels = (group.layer ?? [group]).flatMap((part) => Object.values(part.encoding ?? {}));
    for (const of of channels) {
      if (of.sort === null && Array.isArray(of.scale?.domain)) of.sort = of.scale.domain;
      const shown = of.legend === null && channels.find((other) => other.field === of.field && other.legend);
      if (shown) of.legend = { ...shown.legend };
    }
  }
}

// How wide the panels of a chart are, beside each other or below; axes and legends come on top of that.
function span(spec) {
  if (spec.hconcat) return spec.hconcat.reduce((sum, panel) => sum + span(panel), 0);
  if (spec.vconcat) return Math.max(...spec.vconcat.map(span));
  return typeof spec.width === "number" ? spec.width : 0;
}

// On a phone, panels that are made to stand side by side stand below each other.
function stacked(spec) {
  const widest = span(spec);
  spec.vconcat = spec.hconcat.map((panel) => ({ ...panel, width: widest }));
  delete spec.hconcat;
}

function scaled(spec, factor) {
  const copy = structuredClone(spec);
  for (const part of partsOf(copy)) if (typeof part.width === "number") part.width = Math.floor(part.width * factor);
  return copy;
}

const isMap = (spec) => (spec.layer ?? []).some(({ encoding }) => encoding?.x?.axis === null && encoding?.y?.axis === null);

// Panels take more than their width, for axes and legend: how much, the first drawing tells. A map keeps its shape.
async function draw(figure) {
  const place = figure.querySelector(".drawing > div"); // hidden from screen readers: the image is what it stands in
  const width = Math.floor(place.clientWidth);
  if (!width) return;
  const before = drawn.get(figure);
  const spec = JSON.parse(figure.querySelector("script.spec").textContent);
  settled(spec);
  const laps = lapsOf(location);
  if (laps) zoomed(spec, laps);
  if (width < NARROW_PX && spec.hconcat) stacked(spec);
  const options = {
    actions: false,
    ast: true,
    config: configFor(figure, width),
    defaultStyle: false,
    mode: "vega-lite",
    renderer: "svg",
    tooltip: showTip,
  };
  drawn.set(figure, { ...before, width, dark: DARK.matches });
  const whole = span(spec);
  let fitting = scaled(spec, width / whole);
  let result = await vegaEmbed(place, fitting, options);
  const over = place.querySelector("svg").getBoundingClientRect().width - width;
  const again = isMap(spec) || over > 0 || (over < -12 && !spec.autosize);
  if (again) {
    fitting = scaled(spec, Math.max(span(fitting) - Math.ceil(over), 120) / whole);
    if (isMap(spec)) fitting.height = Math.round((spec.height * result.view.signal("width")) / (whole * PLOT_OF_MAP));
    result.finalize();
    result = await vegaEmbed(place, fitting, options);
  }
  before?.result?.finalize();
  drawn.set(figure, { result, width, dark: DARK.matches });
  figure.classList.add("drawn");
  const svg = place.querySelector("svg");
  svg.setAttribute("focusable", "false");
  const isWider = svg.getBoundingClientRect().width > width + 1;
  place.parentElement.classList.toggle("wider", isWider);
  if (isWider) place.parentElement.tabIndex = 0;
  else place.parentElement.removeAttribute("tabindex");
  followZoom(result.view);
}

// Zooming a chart over laps changes the laps in the address, so that it can be shared as it is seen.
function followZoom(view) {
  let waiting;
  try {
    view.addSignalListener("zoom", (_name, value) => {
      if (!value?.lap) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const address = new URL(location.href);
        address.searchParams.set("laps", `${Math.max(Math.ceil(value.lap[0]), 1)}-${Math.max(Math.floor(value.lap[1]), 1)}`);
        history.replaceState(history.state, "", address);
      }, SETTLED_AFTER_MS);
    });
  } catch {
    // this chart is not zoomed
  }
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: "500px" },
);

// Side by side, charts of different heights leave no holes: each takes as many low rows of the grid as it is high.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const rows = Math.ceil((target.getBoundingClientRect().height + 14) / PACKED_PX);
    target.style.gridRowEnd = `span ${rows}`;
  }
});

function prepare() {
  if (!configs) return;
  for (const grid of document.querySelectorAll(".charts")) grid.classList.add("packed");
  for (const figure of document.querySelectorAll("figure.chart:not(.watched)")) {
    figure.classList.add("watched");
    seen.observe(figure);
    sizes.observe(figure);
  }
}

function redraw() {
  hideTip();
  for (const figure of document.querySelectorAll("figure.chart.drawn")) {
    const { width, dark } = drawn.get(figure) ?? {};
    if (width !== Math.floor(figure.querySelector(".drawing").clientWidth) || dark !== DARK.matches) draw(figure);
  }
}

let settling;
window.addEventListener("resize", () => {
  clearTimeout(settling);
  settling = setTimeout(redraw, SETTLED_AFTER_MS);
});
DARK.addEventListener("change", redraw);
window.addEventListener("scroll", hideTip, { passive: true, capture: true });
window.addEventListener("beforeprint", () => document.querySelectorAll("figure.chart:not(.drawn)").forEach(draw));
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.addEventListener("renewed", prepare);

prepare();
