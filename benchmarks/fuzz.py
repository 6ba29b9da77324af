"""Every verb on studies and genomes that are damaged or hostile; then what was promised is checked.

    python -m benchmarks.fuzz [--databases 700] [--genomes 1000] [--measured 2] [--seed 1] [--first 0]

One search of ten trials is made, and each mutant is a copy with one to three changes, or a genome file. The verbs run
in forked processes, the costly ones on a part of the mutants. Checked: they end by themselves with exit code 0, 1 or 2;
no traceback; no control character on stdout, on stderr, or in what the report writes as text; JSON that is JSON;
memory. A broken promise is printed with as few of the changes as break it. The mutants in which a verb took most memory
are measured again in fresh processes.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.mutations import Change, damage, genome, shown
from nas.search.workers.job import Event, Job

if TYPE_CHECKING:
    from nas.search.experiment import Experiment

EXECUTOR = "benchmarks.fuzz:InProcess"
SECONDS = 60  # a verb may take
MEGABYTES = 400  # a verb may take
MORE = {"report": 600}  # a report draws
SHARE = 0.05  # of the mutants that a costly verb gets
PARAMS, MACS = 2_000_000, 500_000_000  # of the networks that are exported: more take the time and memory they need
SETTINGS = ("--set", f"executor={EXECUTOR}", "--set", "recipe.epochs=1", "--set", "sampler=random", "--trials", "10")
CHEAP = (
    ("status", "RUN"), ("status", "RUN", "--json"), ("show", "RUN:best"), ("cost", "RUN:0"), ("doctor", "RUN"),
    ("doctor", "RUN", "--fix"),
)  # fmt: skip
COSTLY = (
    ("report", "RUN"), ("report", "RUN", "--format", "md"), ("export", "RUN", "--out", "OUT"),
    ("proxies", "RUN", "--networks", "5"),
    ("finalists", "RUN", "--seeds", "1", "--top", "1", "--epochs", "1"), ("resume", "RUN"),
    ("resume", "RUN", "--trials", "12"), ("show", "RUN:best", "--svg", "OUT"), ("export", "RUN:0", "--out", "OUT"),
)  # fmt: skip
WRITING = {"doctor", "report", "finalists", "resume", "export"}
ON_FILES = (("show", "GENOME"), ("cost", "GENOME"), ("diff", "GENOME", "OTHER"))
SELDOM = (
    ("export", "GENOME", "--out", "OUT"), ("show", "GENOME", "--layers"), ("show", "GENOME", "--source"),
    ("show", "GENOME", "--dot"), ("show", "GENOME", "--json"), ("show", "GENOME", "--svg", "OUT"),
)  # fmt: skip
MEASURE = f"""
import sys
from benchmarks.fuzz import InProcess
from nas.cli import main
from nas.user_code import trust
from nas.search.workers.processes import ProcessPool
trust({EXECUTOR!r})
InProcess.for_experiment = lambda experiment, count: ProcessPool(1)  # what the workers take is not the verb's
file = sys.argv.pop(1)
try:
    main()
finally:
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    open(file, "w").write(status["VmHWM"].split()[0])
"""
Verb = tuple[str, ...]


class InProcess:
    """An executor of one worker in the driver's own process."""

    @classmethod
    def for_experiment(cls, _experiment: "Experiment", _count: int) -> "InProcess":
        return cls()

    def __init__(self) -> None:
        self._events: list[Event] = []

    def idle(self) -> bool:
        return not self._events

    def submit(self, job: Job) -> None:
        from nas.search.workers.worker import train_job

        self._events = list(train_job(job))

    def stop(self, _number: int) -> None:
        """A trial is over as soon as it begins."""

    def proceed(self, _number: int) -> None:
        """Nothing waits."""

    def events(self, _seconds: float) -> list[Event]:
        return [self._events.pop(0)] if self._events else []

    def close(self) -> None:
        self._events = []


@dataclass(frozen=True)
class Mutant:
    """A run directory with changes, or a genome file."""

    name: str
    changes: tuple[Change, ...] = ()
    genome: str = ""

    def make(self, base: Path, folder: Path) -> None:
        """Write it into a folder: the run, or the genome file."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if self.genome:
            (folder / "genome.json").write_bytes(self.genome.encode("utf-8", "surrogatepass"))
            return
        shutil.copytree(base, folder / "run")
        for change in self.changes:
            change.apply(folder / "run")

    def __str__(self) -> str:
        return "\n".join([f"    {change}" for change in self.changes] or [f"    genome: {shown(self.genome)}"])


@dataclass(frozen=True)
class Ending:
    """How a verb ended. code: negative for a signal. megabytes: at the most, those of the parent included."""

    code: int
    out: str
    err: str
    megabytes: float
    seconds: float = 0.0


@dataclass
class Tally:
    """What was done, and what came of it. measured: mutants of each verb that are run again in fresh processes."""

    measured: int = 2
    codes: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    hungry: defaultdict[str, list[tuple[float, Verb, Mutant]]] = field(default_factory=lambda: defaultdict(list))
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    peaks: dict[str, float] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, verb: Verb, mutant: Mutant, ending: Ending) -> None:
        """Count an ending, and keep the mutants that take most memory."""
        self.codes[verb[0]][ending.code] += 1
        self.seconds[verb[0]] += ending.seconds
        most = self.hungry[verb[0]]
        most.append((ending.megabytes, verb, mutant))
        most.sort(key=lambda each: -each[0])
        del most[self.measured :]


def prepare() -> None:
    """Import once what the verbs import, for the processes forked from this one."""
    os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="agg")
    import matplotlib.pyplot
    import optuna
    import scipy.stats
    import sklearn.datasets
    import torch

    import nas.cli
    import nas.model.export
    import nas.report.run.page
    import nas.search.loop.search
    from nas.training.data import task
    from nas.training.data.source import Source
    from nas.user_code import trust

    torch.set_num_threads(1)
    trust(EXECUTOR)
    task(Source("digits"))
    _ = matplotlib.pyplot, optuna, scipy.stats, sklearn.datasets, nas


def run_verb(arguments: Sequence[str], folder: Path) -> Ending:
    """Run a verb in a forked process that does not outlive its time, nor its children."""
    sys.stdout.flush()
    begun = time.monotonic()
    out, err = folder / "stdout", folder / "stderr"
    pid = os.fork()
    if not pid:
        _child(arguments, out, err)
    _, status, used = os.wait4(pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    told, said = (file.read_bytes().decode("utf-8", "backslashreplace") for file in (out, err))
    return Ending(code, told, said, used.ru_maxrss / 1024, time.monotonic() - begun)


def _child(arguments: Sequence[str], out: Path, err: Path) -> None:
    """Be the verb, and end."""
    code = 70
    try:
        os.setsid()
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_DATA, (8 * 2**30, 8 * 2**30))
        for file, number in ((out, 1), (err, 2)):
            os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        sys.argv = ["nas", *arguments]
        from nas.cli import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  (a traceback is what is looked for)
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def control_characters(text: str) -> str:
    """Return the control and format characters of a text, other than newlines, tabs and spaces of any width."""
    odd = {c for c in text if not c.isprintable() and c not in "\n\t\xa0\u200b"}
    return ascii("".join(sorted(c for c in odd if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"))))[1:-1]


def faults(verb: Verb, ending: Ending, run: Path) -> Iterator[str]:
    """Yield the promises that are broken."""
    if ending.code not in (0, 1, 2):
        yield f"exit code {ending.code}"
    if "Traceback (most recent" in ending.err + ending.out:
        yield "a traceback: " + ending.err.strip().splitlines()[-1][:200]
    for name, text in (("stdout", ending.out), ("stderr", ending.err)):
        if odd := control_characters(text):
            yield f"control characters on {name}: {odd:.60}"
    if "--json" in verb and ending.code == 0 and not _is_json(ending.out):
        yield "not JSON"
    if verb[0] == "report" and ending.code == 0:
        yield from _files_faults(run / "report")


def _files_faults(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*")):
        if file.suffix in (".html", ".csv", ".svg") and (odd := control_characters(_own_text(file))):
            yield f"control characters in {file.name}: {odd:.60}"


def _own_text(file: Path) -> str:
    """Return the text of a file, without the scripts of a library."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        from nas.report.html.library import plotting_library

        return text.replace(plotting_library(), "")
    return text


def is_small(text: str) -> bool:
    """Return whether a genome is refused, or of a network that is exported in a moment."""
    from nas.errors import GenomeError
    from nas.genome.cost import cost
    from nas.genome.genome_json import from_json

    try:
        counts = cost(from_json(text))
    except GenomeError:
        return True
    return counts.params < PARAMS and counts.macs < MACS


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


class Fuzz:
    """The base run, a folder to work in, and the tally."""

    def __init__(self, home: Path, measured: int) -> None:
        self.home, self.base, self.work, self.tally = home, home / "base", home / "work", Tally(measured)
        self.genomes: list[str] = []

    def begin(self) -> None:
        """Make the run that is damaged, with a finalist and an export, and the genomes."""
        from nas.genome.baselines import BASELINES, baseline
        from nas.genome.genome_json import to_json
        from nas.search.store.run import load_run
        from nas.search.store.study import open_run

        base = str(self.base)
        for arguments in (
            ["search", "quickstart", "--out", base, "--baselines", "cifar_resnet20", *SETTINGS],
            ["export", base, "--out", str(self.home / "export")],
            ["finalists", base, "--seeds", "1", "--top", "1", "--epochs", "1"],
        ):
            ending = run_verb(arguments, self.home)
            assert ending.code == 0, ending.err
        open_run(self.base).close()  # imports what writing to a study takes, for the processes forked from this one
        found = load_run(self.base)
        self.genomes = [to_json(record.graph) for record in (*found.records, *found.baselines)]
        self.genomes += [text for name in BASELINES if len(text := to_json(baseline(name))) < 20_000]

    def arguments(self, verb: Verb) -> list[str]:
        """Return a verb's arguments, the places filled in."""
        places = {"RUN": self.work / "run", "GENOME": self.work / "genome.json", "OTHER": "lenet5_paper",
                  "OUT": self.work / "out"}  # fmt: skip
        filled = list(verb)
        for i, part in enumerate(verb):
            name, colon, trial = part.partition(":")
            filled[i] = f"{places[name]}{colon}{trial}" if name in places else part
        return filled

    def attempt(self, mutant: Mutant, verb: Verb, fresh: bool = True) -> tuple[Ending, list[str]]:
        """Run a verb on a mutant; return how it ended and what is wrong with that. fresh: make the mutant again."""
        if fresh:
            mutant.make(self.base, self.work)
        ending = run_verb(self.arguments(verb), self.work)
        return ending, list(faults(verb, ending, self.work / "run"))

    def check(self, mutant: Mutant, verbs: Sequence[Verb]) -> None:
        """Run verbs on a mutant, and report broken promises."""
        changed = True
        for verb in verbs:
            ending, wrong = self.attempt(mutant, verb, fresh=changed)
            changed = verb[0] in WRITING
            self.tally.add(verb, mutant, ending)
            if wrong:
                self.report(mutant, verb, wrong, ending)
                changed = True

    def report(self, mutant: Mutant, verb: Verb, wrong: list[str], ending: Ending) -> None:
        """Print a broken promise with as few changes as break it, the first time that it is seen."""
        kind = re.sub(r"\d+", "#", f"{verb[0]}: {'; '.join(wrong):.120}")
        self.tally.broken[kind] += 1
        if self.tally.broken[kind] > 1:
            return
        small = self.smallest(mutant, verb, wrong[0])
        print(f"BROKEN  nas {' '.join(verb)}, {mutant.name}: {'; '.join(wrong)}\n{small}", flush=True)
        print("".join(f"    | {ascii(line)[1:-1]:.300}\n" for line in ending.err.splitlines()[-24:]), flush=True)

    def smallest(self, mutant: Mutant, verb: Verb, wrong: str) -> Mutant:
        """Return the mutant without the changes that its fault does not need."""
        for change in mutant.changes:
            fewer = Mutant(mutant.name, tuple(each for each in mutant.changes if each is not change))
            if fewer.changes and wrong in self.attempt(fewer, verb)[1]:
                mutant = fewer
        return mutant

    def databases(self, count: int, seed: int, first: int) -> None:
        """Damage the run so many times."""
        for number in range(first, first + count):
            rng = random.Random(f"{seed} database {number}")
            mutant = Mutant(f"database {number}", damage(rng, self.base))
            self.check(mutant, [*CHEAP, *(verb for verb in COSTLY if rng.random() < SHARE)])
            progress("databases", number - first + 1, count)

    def files(self, count: int, seed: int, first: int) -> None:
        """Give so many genome files to the verbs that read one."""
        for number in range(first, first + count):
            rng = random.Random(f"{seed} genome {number}")
            mutant = Mutant(f"genome {number}", genome=genome(rng, rng.choice(self.genomes)) or " ")
            verbs = [*ON_FILES, *(verb for verb in SELDOM if rng.random() < SHARE)]
            self.check(mutant, [verb for verb in verbs if verb[0] != "export" or is_small(mutant.genome)])
            progress("genomes", number - first + 1, count)

    def measure(self) -> None:
        """Run the verbs on the mutants that took most memory, each in a fresh process."""
        for name, most in self.tally.hungry.items():
            for _, verb, mutant in most:
                mutant.make(self.base, self.work)
                peak = self.megabytes(verb)
                self.tally.peaks[name] = max(peak, self.tally.peaks.get(name, 0))
                if peak > MORE.get(name, MEGABYTES):
                    self.report(mutant, verb, [f"{peak:.0f} MB"], Ending(0, "", "", peak))

    def megabytes(self, verb: Verb) -> float:
        """Return the peak memory of a verb in a process of its own."""
        command = [sys.executable, "-c", MEASURE, str(self.home / "peak"), *self.arguments(verb)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10 * SECONDS)
        return int((self.home / "peak").read_text()) / 1024


def progress(what: str, done: int, count: int) -> None:
    """Print how far it is, ten times."""
    if done * 10 // count > (done - 1) * 10 // count:
        print(f"{what}: {done} of {count}", flush=True)


def fuzz(home: Path, databases: int, genomes: int, measured: int, seed: int, first: int = 0) -> Tally:
    """Damage, run and check; return what was done."""
    prepare()
    work = Fuzz(home, measured)
    work.begin()
    work.databases(databases, seed, first)
    work.files(genomes, seed, first)
    work.measure()
    return work.tally


def main() -> None:
    """Print what was done. Exits with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", type=int, default=700)
    parser.add_argument("--genomes", type=int, default=1_000)
    parser.add_argument("--measured", type=int, default=2, help="mutants of each verb whose memory is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(Path(folder), options.databases, options.genomes, options.measured, options.seed, options.first)
    print(f"{options.databases} databases, {options.genomes} genomes in {time.monotonic() - begun:.0f} s")
    for verb, codes in sorted(tally.codes.items()):
        ended = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        print(f"{verb:<10} {ended:<40} {tally.seconds[verb]:>6.0f} s {tally.peaks.get(verb, 0):>6.0f} MB at most")
    for kind, count in tally.broken.most_common():
        print(f"BROKEN {count} times  {kind}")
    print("every promise kept" if not tally.broken else f"{len(tally.broken)} kinds of broken promises")
    sys.exit(bool(tally.broken))


if __name__ == "__main__":
    main()
