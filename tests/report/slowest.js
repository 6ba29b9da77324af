register("slowest", (points) => draw("slowest", [{ ...points, type: "bar" }], axis("trial"), axis("seconds")));
