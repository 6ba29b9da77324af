const fronts = read("fronts"), volumes = read("volumes");
const HUES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const hue = (i) => HUES[i % HUES.length];

function drawFronts() {
  const count = $("abscissa").value, { title, name: unit } = fronts.axes[count];
  const hovertemplate = `%{text}<br>%{y:.2%} error<br>%{x:.3~s} ${unit}<extra></extra>`;
  const traces = fronts.runs.flatMap((run, i) => {
    const at = (points, more) => ({
      ...points, x: points.x[count], text: points.text.map(plain), type: "scatter", mode: "markers",
      name: plain(run.name), legendgroup: run.name, showlegend: false, hovertemplate, ...more,
    });
    const order = run.front.x[count].map((_, j) => j).sort((a, b) => run.front.x[count][a] - run.front.x[count][b]);
    const sorted = { x: { [count]: order.map((j) => run.front.x[count][j]) }, y: order.map((j) => run.front.y[j]),
      text: order.map((j) => run.front.text[j]) };
    const lined = run.lined && count === fronts.abscissa;
    return [
      at(run.trials, { marker: { color: hue(i), size: 5, opacity: 0.3 } }),
      at(sorted, { mode: lined ? "lines+markers" : "markers", showlegend: true, marker: { color: hue(i), size: 9 },
        line: { color: hue(i), width: 1.8, shape: "hv" } }),
      at(run.baselines, { marker: { color: hue(i), size: 11, symbol: "diamond", line: { color: "--ink", width: 1 } } }),
    ];
  });
  return draw("fronts-plot", traces, axis(title), axis("validation error", { tickformat: "~%", rangemode: "tozero",
    type: fronts.log ? "log" : "linear" }));
}

function drawVolumes() {
  const traces = volumes.runs.map((run, i) => ({
    ...run, name: plain(run.name), mode: "lines", line: { color: hue(i), width: 2, shape: "hv" },
  }));
  return draw("volumes-plot", traces, axis("complete trials"), axis("hypervolume"), { hovermode: "x" });
}

function drawBoth() { drawFronts(); drawVolumes(); }

for (const [name, { title }] of Object.entries(fronts.axes)) {
  $("abscissa").append(new Option(title, name, false, name === fronts.abscissa));
}
$("abscissa").addEventListener("change", drawFronts);
drawBoth();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawBoth);
addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; drawBoth(); });
addEventListener("afterprint", () => { delete document.documentElement.dataset.print; drawBoth(); });
