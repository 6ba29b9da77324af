"""Every sampler on search spaces that nobody has seen: whether it breaks, and whether it learns.

    python -m benchmarks.many_spaces [--spaces 200] [--samplers random tpe ...] [--first 0] [--jobs 2] [--limit 600]
    python -m benchmarks.many_spaces --learnt [--seeds 20] [--samplers frontier] [--kinds widths lists ...]

The first searches the spaces of `nas.testing.spaces.made_space`, 30 trials each, and prints per sampler how many spaces
broke a promise of `check_made_space`, each with its seed and what went wrong, and the CPU seconds. More memory than
MEMORY, and more seconds in one space than the limit, are broken promises too. The second is in `benchmarks.learnt`.
"""

import argparse
import resource
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import Pool

from benchmarks.learnt import KINDS, learnt_table
from nas.search.registries import SAMPLERS
from nas.testing.space_checks import check_made_space
from nas.testing.spaces import made_space

MEMORY = 4 * 2**30  # bytes of address space that a process may take


@dataclass(frozen=True)
class Checked:
    """One sampler on one space: the CPU seconds it took, and the promise it broke, or ""."""

    seed: int
    seconds: float
    fault: str


def check(task: tuple[str, int, int]) -> Checked:
    """Check a sampler on the space of a seed, for so many seconds."""
    sampler, seed, limit = task
    begun, fault = time.process_time(), ""
    signal.alarm(limit)
    try:
        check_made_space(sampler, made_space(seed))
    except AssertionError as problem:
        fault = str(problem).splitlines()[0]
    finally:
        signal.alarm(0)
    return Checked(seed, time.process_time() - begun, fault)


def broken_table(pool: Pool, samplers: list[str], seeds: range, limit: int) -> None:
    """Print how many spaces each sampler breaks on, and to stderr which."""
    print("| sampler | spaces | broken | CPU seconds | slowest |\n|---|---|---|---|---|")
    for sampler in samplers:
        found: list[Checked] = []
        for each in pool.imap(check, [(sampler, seed, limit) for seed in seeds]):
            found.append(each)
            if each.fault:
                print(f"{sampler}, seed {each.seed}: {each.fault:.800}", file=sys.stderr, flush=True)
        slowest = max(found, key=lambda each: each.seconds)
        broken, seconds = sum(bool(each.fault) for each in found), sum(each.seconds for each in found)
        last = f"{slowest.seconds:.0f} (seed {slowest.seed})"
        print(f"| {sampler} | {len(found)} | {broken} | {seconds:.0f} | {last} |", flush=True)


def prepare() -> None:
    """Limit a process, so that a range written out or an endless loop is a fault that is told."""
    _, highest = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if highest < 0 else min(MEMORY, highest), highest))

    def stop(*_: object) -> None:
        raise TimeoutError("out of time")

    signal.signal(signal.SIGALRM, stop)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--samplers", nargs="+", choices=list(SAMPLERS))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--limit", type=int, default=600, help="seconds in one space")
    parser.add_argument("--learnt", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    with get_context("spawn").Pool(options.jobs, prepare) as pool:
        if options.learnt:
            seeds = range(options.first, options.first + options.seeds)
            for sampler in options.samplers or ["frontier"]:
                learnt_table(pool, sampler, options.kinds, seeds)
        else:
            seeds = range(options.first, options.first + options.spaces)
            broken_table(pool, options.samplers or list(SAMPLERS), seeds, options.limit)


if __name__ == "__main__":
    main()
