const families = read("families"), coordinates = read("coordinates"), primitives = read("primitives");
const HUES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--faint"];
const errors = () => axis("validation error", { tickformat: "~%", type: front.log ? "log" : "linear" });

function drawFamilies() {
  const traces = families.choices[$("family").value].map((group, i) => ({
    ...group, name: plain(group.name), mode: "lines", line: { color: HUES[i % HUES.length], width: 2, shape: "hv" },
    hovertemplate: "%{y:.0%} up to %{x:.2%}<extra></extra>",
  }));
  return draw("families-plot", traces, errors(), axis("share of networks", { tickformat: ".0%", range: [0, 1.02] }));
}

// Drawn as plain lines: the plotting library's own parallel coordinates compile code, which the page's policy forbids.
function drawCoordinates() {
  const { axes, lines } = coordinates, names = Object.keys(lines), best = names.length - 1;
  const place = (i) => (i % (axes.length + 1) < axes.length ? i % (axes.length + 1) : null);
  const traces = names.map((name, i) => ({
    name: i ? name : "others", x: lines[name].map((_, j) => place(j)), y: lines[name], mode: "lines", hoverinfo: "skip",
    opacity: i === best ? 0.75 : 0.3, showlegend: i === best || i === 0,
    line: { color: i === best ? "--accent" : "--faint", width: i === best ? 1.6 : 1 },
  }));
  const annotations = axes.flatMap(({ ticks }, x) => ticks.map(([y, text]) => ({
    x, y, text: plain(text), showarrow: false, xanchor: "left", xshift: 3, font: { size: 11, color: "--ink" },
    bgcolor: "--veil",
  })));
  const shapes = axes.map((_, x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, line: { color: "--soft", width: 1 } }));
  const across = {
    tickvals: axes.map((_, i) => i), ticktext: axes.map(({ name }) => plain(name)), showgrid: false, zeroline: false,
    automargin: true, range: [-0.15, axes.length - 0.35], fixedrange: true,
  };
  const up = { visible: false, range: [-0.06, 1.06], fixedrange: true };
  return draw("coordinates-plot", traces, across, up, { annotations, shapes });
}

function drawPrimitives() {
  const traces = primitives.groups.map((group, i) => ({
    ...group, mode: "markers", marker: { color: HUES[i % HUES.length], size: 7, opacity: 0.75 },
    hovertemplate: "trial %{customdata}: %{y:.2%}, %{x:.3~s}<extra></extra>",
  }));
  const plot = $("primitives-plot"), anew = !plot.on;
  draw("primitives-plot", traces, axis(primitives.axis), errors());
  if (anew) plot.on("plotly_click", ({ points }) => show(points[0].customdata));
}

function population() {
  if (!families) return [];
  if (!$("family").options.length) {
    for (const name of Object.keys(families.choices)) $("family").append(new Option(name, name));
    $("family").addEventListener("change", drawFamilies);
  }
  return [...(Object.keys(families.choices).length ? [drawFamilies] : []), drawCoordinates, drawPrimitives];
}
