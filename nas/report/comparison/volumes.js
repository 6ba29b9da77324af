register("volumes", ({ runs }) => {
  const traces = runs.map((run, i) => ({
    ...run, name: plain(run.name), mode: "lines", line: { color: hue(i), width: 2, shape: "hv" },
  }));
  draw("volumes", traces, axis("complete trials"), axis("hypervolume"), { hovermode: "x" });
});
