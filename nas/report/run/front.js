const front = read("front");
let chosen = front.chosen;

function drawFront() {
  const name = $("abscissa").value, { name: unit, format, x, limits } = front.axes[name];
  const [others, best, known, again] = front.traces.map((trace, i) => ({
    ...trace, x: x[i], text: trace.text.map(plain), type: "scatter", mode: "markers",
    hovertemplate: `%{text}<br>%{y:.2%} ${plain(front.error.title)}<br>%{x:${format}} ${plain(unit)}<extra></extra>` }));
  others.marker = { color: "--faint", size: 7, opacity: 0.65 };
  best.marker = { color: "--accent", size: 10, line: { color: "--paper", width: 1 } };
  known.marker = { color: "--hot", size: 11, symbol: "diamond", line: { color: "--paper", width: 1 } };
  Object.assign(again, { y: front.spread.y, marker: { color: "--ink", size: 8, symbol: "square-open" },
    error_y: { type: "data", symmetric: false, array: front.spread.up, arrayminus: front.spread.down,
      color: "--soft", thickness: 1.3, width: 4 } });
  const more = [known, again].filter((trace) => trace.x.length);
  const line = { ...byX(best), mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: "--accent", width: 1.5, shape: "hv" } };
  const ring = { x: [], y: [], mode: "markers", hoverinfo: "skip", showlegend: false,
    marker: { symbol: "circle-open", size: 18, color: "--hot", line: { width: 2 } } };
  for (const trace of [others, best, ...more]) {
    const at = trace.customdata.indexOf(chosen);
    if (at >= 0) { ring.x.push(trace.x[at]); ring.y.push(Math.min(trace.y[at], front.error.range?.[1] ?? Infinity)); }
  }
  const shapes = limits.map((at) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1,
    line: { color: "--hot", width: 1.5, dash: "dash" } }));
  const annotations = limits.map((at) => ({ x: at, yref: "paper", y: 1, text: "budget", showarrow: false,
    xanchor: "right", yanchor: "top", font: { color: "--hot", size: 12 } }));
  const point = ({ points }) => points[0].customdata === undefined || select(points[0].customdata);
  draw("front", [atEdge(others, front.error), ...(name === front.lined ? [line] : []), best, ...more.map((trace) => atEdge(trace, front.error)), ring], objectiveAxis(front.axes[name]),
    errorAxis(front.error), { shapes, annotations },
    { plotly_hover: point, plotly_click: point });
}

// A network on the front has a template; the panel shows any other by its row of the table.
function fillPanel() {
  const template = $(`trial-${chosen}`), row = document.querySelector(`#trials [data-trial="${chosen}"]`);
  if (!template && !row) return;
  $("panel-title").textContent = template?.dataset.title ?? `Trial ${chosen}`;
  $("shown").replaceChildren(template ? template.content.cloneNode(true) : terms(row.closest("tr")));
  $("panel").scrollTop = 0;
  for (const button of document.querySelectorAll("button[data-trial]")) {
    button.setAttribute("aria-current", String(Number(button.dataset.trial) === chosen));
  }
}

function terms(row) {
  const list = document.createElement("dl");
  list.className = "terms";
  const heads = document.querySelectorAll("#trials thead th");
  const element = (kind, textContent) => Object.assign(document.createElement(kind), { textContent });
  [...row.cells].slice(1).forEach((cell, i) => {
    const pair = document.createElement("div");
    pair.append(element("dt", heads[i + 1].textContent), element("dd", cell.textContent));
    list.append(pair);
  });
  return list;
}

register("front", drawFront);
redrawOnChange("abscissa", "front");
fillPanel();
document.addEventListener("select-trial", ({ detail }) => {
  if (detail === chosen) return;
  chosen = detail;
  fillPanel();
  redraw("front");
});
for (const event of ["click", "focusin"]) {
  document.addEventListener(event, ({ target }) => {
    const button = target.closest("button[data-trial]");
    if (button && (event === "click" || button.closest(".picks"))) select(Number(button.dataset.trial));
  });
}
for (const button of document.querySelectorAll("tbody button[data-trial]")) {
  button.addEventListener("click", () => $("front").scrollIntoView());
}
