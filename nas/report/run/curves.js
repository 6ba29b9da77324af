register("curves", ({ others, front, best, stopped, error }) => {
  const line = (data, name, color, width, opacity) => ({ ...data, name, mode: "lines", opacity,
    line: { color, width }, connectgaps: false, hovertemplate: "%{text}, epoch %{x}: %{y:.2%}<extra></extra>" });
  draw("curves", [
    line(others, "other trials", "--faint", 1, 0.45),
    line(front, "front", "--accent", 1.3, 0.8),
    line(best, "best", "--hot", 3, 1),
    ...(stopped.x.length ? [{ ...stopped, name: "stopped early", mode: "markers", marker: { symbol: "x",
      color: "--ink", size: 7 }, hovertemplate: "%{text}, stopped after epoch %{x}: %{y:.2%}<extra></extra>" }] : []),
  ], axis("epoch"), errorAxis(error));
});
