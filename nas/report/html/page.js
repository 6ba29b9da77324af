"use strict";
const $ = (id) => document.getElementById(id);
const read = (name) => { const data = $(`${name}-data`); return data && JSON.parse(data.textContent); };
// The plotting library reads <b> and links in text as markup, and dollars as mathematics.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("$", "&#36;");
const coarse = matchMedia("(pointer: coarse)").matches;

// A string that begins with two dashes names a CSS variable: one palette for page and plots, light and dark.
function paint(value) {
  if (typeof value === "string" && value.startsWith("--")) {
    return getComputedStyle(document.documentElement).getPropertyValue(value).trim();
  }
  if (Array.isArray(value)) return value.map(paint);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, paint(inner)]));
  }
  return value;
}

const axis = (title, more) => ({ title: { text: title }, gridcolor: "--line", linecolor: "--line", zeroline: false,
  automargin: true, ...more });

const errorAxis = ({ title, log, range }, more) => axis(plain(title), { tickformat: "~%", type: log ? "log" : "linear",
  ...(range ? { range } : {}), ...more });

// A trace whose errors beyond the axis are triangles at its edge; pointing at one tells its error.
function atEdge(trace, { range }) {
  const top = range ? range[1] : Infinity, edge = range && top - 0.02 * (top - range[0]);
  if (!trace.y.some((y) => y > top)) return trace;
  const each = (inside, beyond) => trace.y.map((y) => (y > top ? beyond(y) : inside));
  const told = (y) => trace.hovertemplate.replace("%{y:.2%}", `${(100 * y).toFixed(2)}%`);
  return { ...trace, y: trace.y.map((y) => (y > top ? edge : y)),
    marker: { ...trace.marker, symbol: each(trace.marker.symbol ?? "circle", () => "triangle-up") },
    hovertemplate: each(trace.hovertemplate, told) };
}

// The axis of an objective.
const objectiveAxis = ({ title, format }) => axis(plain(title), format.endsWith("%") ? { tickformat: "~%" } : {});

const HUES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--faint"];
const hue = (i) => HUES[i % HUES.length];

// The points of a trace from left to right.
function byX({ x, y, text }) {
  const order = x.map((_, i) => i).sort((a, b) => x[a] - x[b]);
  return { x: order.map((i) => x[i]), y: order.map((i) => y[i]), text: order.map((i) => text[i]) };
}

// Draws in the element `name-plot`; events are added the first time.
function draw(name, traces, xaxis, yaxis, more = {}, events = {}) {
  const layout = { xaxis, yaxis, margin: { l: 56, r: 14, t: 12, b: 48 }, paper_bgcolor: "--clear",
    plot_bgcolor: "--clear", font: { family: "system-ui, sans-serif", size: 13, color: "--ink" }, hovermode: "closest",
    dragmode: coarse ? false : "zoom", hoverlabel: { bgcolor: "--panel", bordercolor: "--line",
      font: { color: "--ink" } }, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, ...more };
  const config = { displayModeBar: false, responsive: true, doubleClick: "reset" };
  const element = $(`${name}-plot`), first = !element.on;
  Plotly.react(element, paint(traces), paint(layout), config);
  if (first) for (const [event, react] of Object.entries(events)) element.on(event, react);
}

// Each section registers what draws its data; a section without data draws nothing.
const drawings = new Map();
function register(name, drawing) {
  const data = read(name);
  if (data) drawings.set(name, () => drawing(data));
}
const redraw = (name) => drawings.get(name)?.();
const redrawAll = () => drawings.forEach((drawing) => drawing());
const redrawOnChange = (id, name) => $(id).addEventListener("change", () => redraw(name));
const select = (number) => document.dispatchEvent(new CustomEvent("select-trial", { detail: number }));

// The first plot at once, so that the page opens; the others one after another, so that it stays responsive.
function start() {
  const later = [...drawings.values()];
  const next = () => { later.shift()?.(); if (later.length) setTimeout(next); };
  next();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; redrawAll(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; redrawAll(); });
}

// Loads a plotting library that several pages share, and then draws.
function loadLibrary(url) {
  const library = document.createElement("script");
  library.addEventListener("load", start);
  library.addEventListener("error", () => {
    const missing = `The plots need a file that is missing: ${decodeURIComponent(url)}, seen from this page.`;
    for (const plot of document.querySelectorAll(".plot")) plot.textContent = missing;
  });
  library.src = url;
  document.head.append(library);
}
