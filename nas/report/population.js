const families = read("families"), coordinates = read("coordinates"), primitives = read("primitives");
const HUES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--faint"];

function drawFamilies() {
  const traces = families.choices[$("family").value].map((group, i) => ({ ...group, mode: "lines",
    line: { color: HUES[i % HUES.length], width: 2, shape: "hv" }, hovertemplate: `%{y:.0%} up to %{x:.2%}<extra></extra>` }));
  return draw("families-plot", traces, axis("validation error", { tickformat: "~%", type: front.log ? "log" : "linear" }),
    axis("share of networks", { tickformat: ".0%", range: [0, 1.02] }));
}

// Drawn as plain lines: the plotting library's own parallel coordinates compile code, which the page's policy forbids.
function drawCoordinates() {
  const { axes, lines } = coordinates, names = Object.keys(lines);
  const x = (count) => Array.from({ length: count }, (_, i) => (i % (axes.length + 1) < axes.length ? i % (axes.length + 1) : null));
  const traces = names.map((name, i) => ({ name, y: lines[name], x: x(lines[name].length), mode: "lines", hoverinfo: "skip",
    opacity: i === names.length - 1 ? 0.75 : 0.3, line: { color: i === names.length - 1 ? "--accent" : "--faint",
      width: i === names.length - 1 ? 1.6 : 1 }, showlegend: i === names.length - 1 || i === 0 }));
  traces[0].name = "others";
  const notes = axes.flatMap(({ ticks }, at) => ticks.map(([y, text]) => ({ x: at, y, text, showarrow: false, xanchor: "left",
    xshift: 3, font: { size: 11, color: "--ink" }, bgcolor: "--veil" })));
  const shapes = axes.map((_, at) => ({ type: "line", x0: at, x1: at, y0: 0, y1: 1, line: { color: "--soft", width: 1 } }));
  return draw("coordinates-plot", traces, { tickvals: axes.map((_, i) => i), ticktext: axes.map(({ name }) => name),
    showgrid: false, zeroline: false, automargin: true, range: [-0.15, axes.length - 0.35], fixedrange: true },
  { visible: false, range: [-0.06, 1.06], fixedrange: true }, { annotations: notes, shapes });
}

function drawPrimitives() {
  const { groups, axis: name } = primitives;
  const traces = groups.map((group, i) => ({ ...group, mode: "markers", marker: { color: HUES[i % HUES.length], size: 7,
    opacity: 0.75 }, hovertemplate: "trial %{customdata}: %{y:.2%}, %{x:.3~s}<extra></extra>" }));
  return draw("primitives-plot", traces, axis(name), axis("validation error", { tickformat: "~%",
    type: front.log ? "log" : "linear" }));
}

function drawPopulation() {
  if (!families) return;
  if (!$("family").options.length) {
    for (const name of Object.keys(families.choices)) $("family").append(new Option(name, name));
    $("family").addEventListener("change", drawFamilies);
  }
  if (Object.keys(families.choices).length) drawFamilies();
  drawCoordinates();
  drawPrimitives();
}
