"use strict";
const $ = (id) => document.getElementById(id);
const read = (name) => { const found = $(`${name}-data`); return found && JSON.parse(found.textContent); };
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

function draw(id, traces, xaxis, yaxis, more = {}) {
  const layout = { xaxis, yaxis, margin: { l: 56, r: 14, t: 12, b: 48 }, paper_bgcolor: "--clear",
    plot_bgcolor: "--clear", font: { family: "system-ui, sans-serif", size: 13, color: "--ink" }, hovermode: "closest",
    dragmode: coarse ? false : "zoom", hoverlabel: { bgcolor: "--panel", bordercolor: "--line",
      font: { color: "--ink" } }, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, ...more };
  const config = { displayModeBar: false, responsive: true, doubleClick: "reset" };
  return Plotly.react($(id), paint(traces), paint(layout), config);
}
