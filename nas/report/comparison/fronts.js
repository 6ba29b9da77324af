register("fronts", ({ axes, runs, abscissa, error }) => {
  const count = $("abscissa").value, { name: unit, format } = axes[count];
  const hovertemplate = `%{text}<br>%{y:.2%} ${plain(error.title)}<br>%{x:${format}} ${plain(unit)}<extra></extra>`;
  const named = new Set();
  const traces = runs.flatMap((run) => {
    const i = run.place, fresh = !named.has(run.group);
    named.add(run.group);
    const at = ({ x, y, text }) => ({ x: x[count], y, text: text.map((each) => plain(`${run.name}, ${each}`)) });
    const trace = (points, more) => atEdge({
      ...points, type: "scatter", mode: "markers", name: plain(run.group), legendgroup: run.group, showlegend: false,
      hovertemplate, ...more,
    }, error);
    return [
      trace(at(run.trials), { marker: { color: hue(i), size: 5, opacity: 0.3 } }),
      trace(byX(at(run.front)), { mode: run.lined && count === abscissa ? "lines+markers" : "markers", showlegend: fresh,
        marker: { color: hue(i), size: 9 }, line: { color: hue(i), width: 1.8, shape: "hv" } }),
      trace(at(run.baselines), {
        marker: { color: hue(i), size: 11, symbol: "diamond", line: { color: "--ink", width: 1 } } }),
    ];
  });
  draw("fronts", traces, objectiveAxis(axes[count]), errorAxis(error));
});
redrawOnChange("abscissa", "fronts");
