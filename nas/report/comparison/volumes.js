register("volumes", ({ runs }) => {
  const traces = runs.map((run, i) => ({
    ...run, name: plain(run.group), legendgroup: run.group,
    showlegend: runs.findIndex(({ group }) => group === run.group) === i, mode: "lines",
    line: { color: hue(run.place), width: 2, shape: "hv" }, hovertemplate: `${plain(run.name)}: %{y:.3f}<extra></extra>`,
  }));
  draw("volumes", traces, axis("complete trials"), axis("hypervolume"), { hovermode: "x" });
});
