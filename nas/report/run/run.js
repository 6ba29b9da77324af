const front = read("front"), progress = read("progress"), curves = read("curves");
let chosen = null;

function drawFront() {
  const name = $("abscissa").value, { title, name: unit, x, limits } = front.axes[name];
  const [others, best, known, again] = front.traces.map((trace, i) => ({
    ...trace, x: x[i], text: trace.text.map(plain), type: "scatter", mode: "markers",
    hovertemplate: `%{text}<br>%{y:.2%} error<br>%{x:.3~s} ${unit}<extra></extra>` }));
  others.marker = { color: "--faint", size: 7, opacity: 0.65 };
  best.marker = { color: "--accent", size: 10, line: { color: "--paper", width: 1 } };
  known.marker = { color: "--hot", size: 11, symbol: "diamond", line: { color: "--paper", width: 1 } };
  Object.assign(again, { y: front.spread.y, marker: { color: "--ink", size: 8, symbol: "square-open" },
    error_y: { type: "data", symmetric: false, array: front.spread.up, arrayminus: front.spread.down,
      color: "--soft", thickness: 1.3, width: 4 } });
  const more = [known, again].filter((trace) => trace.x.length);
  const order = best.x.map((_, i) => i).sort((a, b) => best.x[a] - best.x[b]);
  const line = { x: order.map((i) => best.x[i]), y: order.map((i) => best.y[i]), mode: "lines", hoverinfo: "skip",
    showlegend: false, line: { color: "--accent", width: 1.5, shape: "hv" } };
  const ring = { x: [], y: [], mode: "markers", hoverinfo: "skip", showlegend: false,
    marker: { symbol: "circle-open", size: 18, color: "--hot", line: { width: 2 } } };
  for (const trace of [others, best, ...more]) {
    const at = trace.customdata.indexOf(chosen);
    if (at >= 0) { ring.x.push(trace.x[at]); ring.y.push(trace.y[at]); }
  }
  const shapes = limits.map((at) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1,
    line: { color: "--hot", width: 1.5, dash: "dash" } }));
  const notes = limits.map((at) => ({ x: at, yref: "paper", y: 1, text: "budget", showarrow: false, xanchor: "right",
    yanchor: "top", font: { color: "--hot", size: 12 } }));
  return draw("front-plot", [others, ...(name === front.lined ? [line] : []), best, ...more, ring], axis(title),
    axis("validation error", { tickformat: "~%", rangemode: "nonnegative",
      type: front.log ? "log" : "linear" }),
    { shapes, annotations: notes });
}

function drawProgress() {
  const { trials, seconds, found, mean, low, high } = progress, timed = $("course").value === "seconds";
  // In random order a trial takes the mean time.
  const each = seconds[seconds.length - 1] / trials[trials.length - 1];
  const lucky = timed ? trials.map((n) => n * each) : trials;
  const curve = (y, name, more) => ({ x: lucky, y, name, mode: "lines", ...more });
  const band = { line: { width: 0 }, hoverinfo: "skip" };
  return draw("progress-plot", [
    curve(low, "", { ...band, showlegend: false }),
    curve(high, "random order, 90 %", { ...band, fill: "tonexty", fillcolor: "--band" }),
    curve(mean, "random order, mean", { line: { color: "--soft", width: 1.5, dash: "dash" } }),
    curve(found, "as searched", { x: timed ? seconds : trials, line: { color: "--accent", width: 2.5, shape: "hv" } }),
  ], axis(timed ? "training time of all workers (s)" : "complete trials"),
  axis("hypervolume", { range: progress.range }), { hovermode: "x" });
}

function drawCurves() {
  const line = (data, name, color, width, opacity) => ({ ...data, name, mode: "lines", opacity,
    line: { color, width }, connectgaps: false, hovertemplate: "%{text}, epoch %{x}: %{y:.2%}<extra></extra>" });
  return draw("curves-plot", [
    line(curves.others, "other trials", "--faint", 1, 0.45),
    line(curves.front, "front", "--accent", 1.3, 0.8),
    line(curves.best, "best", "--hot", 3, 1),
    ...(curves.stopped.x.length ? [{ ...curves.stopped, name: "stopped early", mode: "markers", marker: { symbol: "x",
      color: "--ink", size: 7 }, hovertemplate: "%{text}, stopped after epoch %{x}: %{y:.2%}<extra></extra>" }] : []),
  ], axis("epoch"), axis("validation error", { tickformat: "~%" }));
}

// A network on the front has a template of its own; of any other its row in the table is told.
function show(number) {
  if (number === chosen) return;
  chosen = number;
  const template = $(`trial-${number}`), row = document.querySelector(`#trials [data-trial="${number}"]`);
  if (!template && !row) return;
  $("panel-title").textContent = template?.dataset.title ?? `Trial ${number}`;
  $("shown").replaceChildren(template ? template.content.cloneNode(true) : terms(row.closest("tr")));
  $("panel").scrollTop = 0;
  for (const button of document.querySelectorAll("button[data-trial]")) {
    button.setAttribute("aria-current", String(Number(button.dataset.trial) === number));
  }
  drawFront();
}

function terms(row) {
  const list = document.createElement("dl");
  list.className = "terms";
  const heads = document.querySelectorAll("#trials thead th");
  const told = (kind, textContent) => Object.assign(document.createElement(kind), { textContent });
  [...row.cells].slice(1).forEach((cell, i) => {
    const pair = document.createElement("div");
    pair.append(told("dt", heads[i + 1].textContent), told("dd", cell.textContent));
    list.append(pair);
  });
  return list;
}

function compare(a, b) {
  if (a === "" || b === "") return (a === "") - (b === "");
  return isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
}

function sortBy(head) {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.value;
  const rows = [...body.rows].sort((a, b) => {
    const missing = (key(a) === "") - (key(b) === "");
    return missing || (down ? -1 : 1) * compare(key(a), key(b));
  });
  body.append(...rows);
}

function drawAll() {
  if (!front) return;
  for (const each of [drawFront, drawProgress, ...($("curves-plot") ? [drawCurves] : []), ...population()]) each();
}

// The front at once, so that the page opens; the others one after another, so that it answers meanwhile.
function drawOneByOne() {
  show(front.traces[1].customdata[0]);
  const later = [drawProgress, ...population(), ...($("curves-plot") ? [drawCurves] : [])];
  const next = () => { later.shift()(); if (later.length) setTimeout(next); };
  setTimeout(next);
}

function start() {
  for (const head of document.querySelectorAll("table.sortable thead th")) {
    head.firstElementChild.addEventListener("click", () => sortBy(head));
  }
  if (!front) return;
  for (const [name, { title }] of Object.entries(front.axes)) {
    $("abscissa").append(new Option(title, name, false, name === front.abscissa));
  }
  $("abscissa").addEventListener("change", drawFront);
  $("course").addEventListener("change", drawProgress);
  drawOneByOne();
  for (const event of ["plotly_hover", "plotly_click"]) {
    $("front-plot").on(event, ({ points }) => points[0].customdata === undefined || show(points[0].customdata));
  }
  for (const event of ["click", "focusin"]) {
    document.addEventListener(event, ({ target }) => {
      const button = target.closest("button[data-trial]");
      if (button && (event === "click" || button.closest(".picks"))) show(Number(button.dataset.trial));
    });
  }
  for (const button of document.querySelectorAll("tbody button[data-trial]")) {
    button.addEventListener("click", () => $("front").scrollIntoView());
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; drawAll(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; drawAll(); });
}
