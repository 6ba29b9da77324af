"""The command line: verbs over the rooms. Data goes to stdout, all else to stderr; heavy rooms are imported late."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.errors import BudgetError, ExperimentError, ExportError, NasError, RunError

if TYPE_CHECKING:
    from nas.genome.graph import Graph
    from nas.search.experiment import Experiment
    from nas.search.study import Study

DONE, FINDINGS, WRONG, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Search convolutional networks inside a budget of parameters and MACs.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
RunDir = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/quickstart.")]
What = Annotated[str, typer.Argument(help="A baseline, a genome file, RUN:TRIAL, or a search space with --seed.")]
Seed = Annotated[int, typer.Option(help="Seed of the draw when WHAT is a search space.")]
On = Annotated[str, typer.Option("--data", help="Data set whose images the drawn network reads.")]


def say(text: str) -> None:
    """A message for a person."""
    print(text, file=sys.stderr)  # noqa: T201


def tell(data: Any) -> None:
    """Data for whoever reads stdout."""
    print(data if isinstance(data, str) else json.dumps(data, indent=2))  # noqa: T201


def main() -> None:
    """Run a verb; every expected error is one message and exit code 2."""
    try:
        app()
    except NasError as problem:
        say(f"nas: {problem}")
        sys.exit(FINDINGS if isinstance(problem, ExportError) else WRONG)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `nas spaces | head` is no error
        sys.exit(DONE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def size(text: str | None) -> int | None:
    """50k -> 50000, 1.5M -> 1500000. Raises BudgetError."""
    if text is None:
        return None
    factor = {"k": 10**3, "m": 10**6, "g": 10**9}.get(text[-1:].lower(), 1)
    try:
        value = float(text if factor == 1 else text[:-1]) * factor
        if value != int(value) or value < 1:
            raise ValueError
    except (ValueError, OverflowError):
        raise BudgetError(f"{text[:40]!r} is not a size; write 50000, 50k, 1.5M or 2G") from None
    return int(value)


def find(what: str, seed: int, data: str) -> "tuple[Graph, str]":
    """The network that WHAT names, and a title for it. Raises NasError with the nearest names."""
    from nas.genome.baselines import BASELINES, baseline
    from nas.genome.text import read
    from nas.resources import names

    if what in BASELINES:
        return baseline(what), what
    if what in names("search_spaces", ".py"):
        from nas.search.space import load, sample
        from nas.training.data import task

        return sample(load(what), task(data), seed), f"{what}, seed {seed}, on {data}"
    run, colon, trial = what.rpartition(":")
    if colon and Path(run).is_dir():
        from nas.search.study import load as load_run

        return load_run(Path(run)).record(trial).graph, what
    if Path(what).is_file():
        return read(Path(what)), what
    if Path(what).is_dir():
        raise RunError(f"{what} is a directory; name a trial of it: {what}:best")
    if what.endswith(".json"):
        raise ExperimentError(f"no file {what!r}")
    return baseline(what), what


@app.command()
def spaces(as_json: Json = False) -> None:
    """List the search spaces."""
    from nas.resources import names
    from nas.search.space import summary

    rows = {name: summary(name) for name in names("search_spaces", ".py")}
    tell([{"name": name, "summary": text} for name, text in rows.items()] if as_json else table(list(rows.items())))


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned columns, the last one free."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]) for row in rows)


@app.command()
def show(
    what: What,
    seed: Seed = 0,
    data: On = "digits",
    layers: Annotated[bool, typer.Option("--layers", help="Every primitive written out in layers.")] = False,
    as_source: Annotated[bool, typer.Option("--source", help="The network as Python.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write a drawing to this file.")] = None,
    dot: Annotated[bool, typer.Option("--dot", help="The graph in Graphviz's language.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The genome, as a file that every verb reads.")] = False,
) -> None:
    """Show a network: its nodes, its source, a drawing, or its genome."""
    from nas.genome.graph import lower
    from nas.genome.text import to_json

    graph, _ = find(what, seed, data)
    graph = lower(graph) if layers else graph
    if as_source:
        from nas.model.source import source

        tell(source(graph).rstrip())
    elif as_json:
        tell(to_json(graph).rstrip())
    elif dot:
        from nas.report.drawing import to_dot

        tell(to_dot(graph).rstrip())
    elif svg is not None:
        from nas.report.drawing import draw

        svg.write_text(draw(graph), encoding="utf-8")
        say(f"drawn to {svg}")
    else:
        tell(table(nodes(graph)))


def nodes(graph: "Graph") -> list[tuple[str, ...]]:
    """A row a node: shape, parameters, MACs, name, what it is."""
    from nas.genome.cost import tally

    rows: list[tuple[str, ...]] = [("shape", "params", "macs", "name", "from", "op")]
    for node in graph.nodes:
        counts = tally(node.op, graph.shapes(node))
        inputs = ",".join(graph.nodes[i].name for i in node.inputs)
        shape = "x".join(map(str, node.shape))
        rows.append((shape, f"{counts.params:,}", f"{counts.macs:,}", node.name, inputs, str(node.op)))
    return rows


@app.command()
def cost(
    what: What,
    seed: Seed = 0,
    data: On = "digits",
    nodewise: Annotated[bool, typer.Option("--nodes", help="Also the counts of each node.")] = False,
    as_json: Json = False,
) -> None:
    """Count a network exactly, per image: parameters, MACs, FLOPs, activations, peak memory, depth."""
    from nas.genome.cost import cost as count

    graph, title = find(what, seed, data)
    counts = count(graph).as_dict()
    if as_json:
        tell(counts)
        return
    units = {"macs": "multiply-accumulates", "flops": "2 * macs", "peak_bytes": "float32 activations at once"}
    say(f"{title}: an image of {'x'.join(map(str, graph.input))}")
    tell("\n".join(f"{name:<12}{value:>16,}  {units.get(name, '')}".rstrip() for name, value in counts.items()))
    if nodewise:
        tell(table(nodes(graph)))


@app.command()
def search(
    experiment: Annotated[str, typer.Argument(help="An experiment's TOML file, or the name of one that comes along.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost; train and write nothing.")
    ] = False,
    changes: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")] = None,
    max_params: Annotated[str | None, typer.Option(help="Hard limit on parameters, such as 50k.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Hard limit on MACs per image, such as 1.5M.")] = None,
    trials: Annotated[int | None, typer.Option(help="Networks to train, in total.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of sampling and training.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; runs/NAME otherwise.")] = None,
) -> None:
    """Search for the best networks inside the budget; goes on where an earlier search of the same stopped."""
    from nas.search import experiment as experiments
    from nas.search.study import create

    settings: dict[str, Any] = dict(setting(change) for change in changes or [])
    limits = {"budget.params.max": size(max_params), "budget.macs.max": size(max_macs)}
    plain = {"trials": trials, "workers": workers, "seed": seed}
    settings |= {key: value for key, value in (limits | plain).items() if value is not None}
    question = experiments.read(experiments.find(experiment), settings)
    foresee(question)
    if dry_run:
        return
    path = out or Path("runs") / "".join(c if c.isalnum() or c in "-_." else "_" for c in question.name).lstrip(".")
    drive(create(path, question, "nas " + shlex.join(sys.argv[1:])))


def setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as TOML or else as text. Raises ExperimentError."""
    import tomllib

    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ExperimentError(f"--set {text[:60]!r}: write KEY=VALUE, such as recipe.epochs=20")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def foresee(question: "Experiment") -> None:
    """Say what the space holds inside the budget. Raises BudgetError when nothing is."""
    from nas.search.propose import preflight
    from nas.search.space import load
    from nas.training.data import task

    seen = preflight(question, load(question.space), task(question.data))
    limits = ", ".join(
        f"{name} {' and '.join(f'{end} {value:,}' for end, value in ends.items())}"
        for name, ends in question.budget.as_dict().items()
    )
    say(f"{question.name}: space {question.space} on {question.data}; budget {limits or 'none'}")
    for name in ("params", "macs"):
        values = sorted(getattr(counts, name) for counts in seen.costs)
        low, middle, high = values[0], values[len(values) // 2], values[-1]
        say(f"  {name:<7}{low:>12,} to {high:,}, median {middle:,}")
    say(f"  {seen.inside} of {seen.drawn} networks drawn are inside; {question.trials} will be trained, "
        f"{question.recipe.epochs} epochs each, by {question.workers} workers")  # fmt: skip


def drive(study: "Study") -> None:
    """Run a search in the foreground. Ctrl-C once: finish what runs; twice: abort. Exits 130 when interrupted."""
    from nas.live import watch
    from nas.search.driver import Search

    search = Search(study)
    completed = watch(search, say)
    path = shlex.quote(str(study.path))
    if not completed:
        say(f"interrupted; go on with: nas resume {path}")
        raise typer.Exit(INTERRUPTED)
    if search.exhausted:
        say("no other network was found inside the budget: the space is exhausted, or nearly")
    say(f"done. See: nas report {path}   take away: nas export {path} --trial best")


@app.command()
def resume(
    run: RunDir,
    trials: Annotated[int | None, typer.Option(help="A new total.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
) -> None:
    """Go on after anything, to the total asked for."""
    from nas.search.study import create, open_run

    study = open_run(run)
    changes = {name: value for name, value in (("trials", trials), ("workers", workers)) if value is not None}
    question = study.experiment.model_validate({**dict(study.experiment), **changes})
    drive(create(run, question, study.read().command))


@app.command()
def status(run: RunDir, as_json: Json = False) -> None:
    """Progress of a run, also while it goes on."""
    from collections import Counter

    from nas.search.driver import front_of
    from nas.search.study import load

    found = load(run)
    states = Counter(record.state for record in found.records)
    reasons = Counter(record.reason for record in found.records if record.reason)
    best = found.best() if states["complete"] else None
    facts: dict[str, Any] = {
        "run": str(run),
        "asked": found.experiment.trials,
        **{state: states[state] for state in ("complete", "failed", "running")},
        "reasons": dict(reasons),
        "ledger": found.ledger,
        "front": len(front_of(list(found.records), found.experiment.objectives)),
        "best": best and {"trial": best.number, "error": best.error, **best.cost.as_dict()},
    }
    if as_json:
        tell(facts)
        return
    tell(f"{states['complete']} of {facts['asked']} complete, {states['running']} running, {states['failed']} failed")
    if best:
        tell(f"best: trial {best.number}, validation error {best.error:.4f}, "
             f"{best.cost.params:,} params, {best.cost.macs:,} MACs; front of {facts['front']}")  # fmt: skip
    for reason, count in reasons.items():
        tell(f"failed for {reason}: {count}")
    for outcome, count in found.ledger.items():
        tell(f"{outcome}: {count}")


@app.command()
def report(run: RunDir) -> None:
    """Write the run's page: one offline HTML file, with figures and tables beside it."""
    from nas.report import write
    from nas.search.study import load

    page = write(load(run))
    say("the report, for a browser:")
    tell(str(page))


@app.command()
def export(
    run: RunDir,
    trial: Annotated[str, typer.Option(help="A trial's number, or best.")] = "best",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/export/TRIAL otherwise.")] = None,
) -> None:
    """Hand over a trained network: source, weights, genome and card, with a parity check in a clean process."""
    from nas.finish import hand_over
    from nas.search.study import load

    found = load(run)
    record = found.record(trial)
    folder = out or run / "export" / f"{record.number:06d}"
    exported, accuracy = hand_over(found, record, folder, say)
    apart = max(exported.parity.values())
    say(f"test accuracy {accuracy:.4f}, read once; parity {apart:.1e} in a clean process")
    say("the network, ready to use:")
    tell(str(folder / "net.py"))
    if not exported.agrees:
        raise ExportError(f"{folder}: the exported network differs by {apart:.1e} from the trained one")
