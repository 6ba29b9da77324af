register("progress", ({ trials, seconds, found, mean, low, high, range }) => {
  const timed = $("course").value === "seconds";
  // In random order each trial takes the mean time.
  const each = seconds[seconds.length - 1] / trials[trials.length - 1];
  const random = timed ? trials.map((n) => n * each) : trials;
  const curve = (y, name, more) => ({ x: random, y, name, mode: "lines", ...more });
  const band = { line: { width: 0 }, hoverinfo: "skip" };
  draw("progress", [
    curve(low, "", { ...band, showlegend: false }),
    curve(high, "random order, 90 %", { ...band, fill: "tonexty", fillcolor: "--band" }),
    curve(mean, "random order, mean", { line: { color: "--soft", width: 1.5, dash: "dash" } }),
    curve(found, "actual order", { x: timed ? seconds : trials, line: { color: "--accent", width: 2.5, shape: "hv" } }),
  ], axis(timed ? "training time of all workers (s)" : "complete trials"), axis("hypervolume", { range }),
  { hovermode: "x" });
});
redrawOnChange("course", "progress");
