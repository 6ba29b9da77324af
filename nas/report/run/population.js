register("families", ({ choices, error }) => {
  const traces = choices[$("family").value].map((group, i) => ({
    ...group, name: plain(group.name), mode: "lines", line: { color: hue(i), width: 2, shape: "hv" },
    hovertemplate: "%{y:.0%} up to %{x:.2%}<extra></extra>",
  }));
  draw("families", traces, errorAxis(error), axis("share of networks", { tickformat: ".0%", range: [0, 1.02] }));
});
redrawOnChange("family", "families");

// Drawn as plain lines: the plotting library's own parallel coordinates compile code, which the page's policy forbids.
register("coordinates", ({ axes, lines }) => {
  const names = Object.keys(lines), best = names.length - 1;
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
  draw("coordinates", traces, across, up, { annotations, shapes });
});

register("primitives", ({ groups, axis, error }) => {
  const traces = groups.map((group, i) => atEdge({
    ...group, mode: "markers", marker: { color: hue(i), size: 7, opacity: 0.75 },
    hovertemplate: `trial %{customdata}: %{y:.2%}, %{x:${axis.format}}<extra></extra>`,
  }, error));
  const events = { plotly_click: ({ points }) => select(points[0].customdata) };
  draw("primitives", traces, objectiveAxis(axis), errorAxis(error), {}, events);
});
