"""The page of a run as it is now, with the number of its version."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from nas.report.html.markup import tag
from nas.report.html.section import Section
from nas.report.run.page import run_page
from nas.report.run.view import view_of
from nas.search.results.finalist_files import load_baselines, load_finalists
from nas.search.results.running import LiveRun

MIN_PAUSE = 3.0  # seconds between two readings
SHARE = 0.1  # of one core that readings and pages may take from the search


class LivePage:
    """The report of a run, made at most once for each version.

    version: 1 at first, and one more whenever a trial or a finalist ends, and when the search ends or goes on. Any
    thread may ask for it and for the page while another reads the run again.
    """

    def __init__(self, read: Callable[[], LiveRun]) -> None:
        """Read the run. Raises as `read`, and RunError when its finalists are damaged."""
        self.version, self._read, self._lock = 0, read, Lock()
        self._shown: Any = None
        self._html = ""
        self._reading = self._making = 0.0  # seconds that the last ones took
        self.refresh()

    @property
    def note(self) -> str:
        """What the search is doing, in one sentence."""
        return live_note(self._now)

    @property
    def pause(self) -> float:
        """The seconds to wait before the next reading."""
        return max(MIN_PAUSE, (self._reading + self._making) / SHARE)

    def refresh(self) -> None:
        """Read the run again. Raises as the constructor."""
        began = time.monotonic()
        now = self._read()
        ended = sum(record.state != "running" for record in (*now.run.records, *now.run.baselines))
        shown = ended, load_finalists(now.run.path), load_baselines(now.run.path), live_note(now)
        self._reading = time.monotonic() - began
        if shown == self._shown:
            return
        with self._lock:
            self._now, self._shown, self._html = now, shown, ""
            self.version += 1

    def html(self) -> str:
        """Return the page of the run as it was last read. Raises RunError when a file of the run is damaged."""
        with self._lock:
            if not self._html:
                began = time.monotonic()
                self._html = run_page(view_of(self._now.run), alone=True, before=[self._section()])
                self._making = time.monotonic() - began
            return self._html

    def _section(self) -> Section:
        line = tag("p", self.note, id="live", class_="note", role="status", data_version=self.version)
        return Section(line, script=Path(__file__).with_suffix(".js"), asks=True)


def live_note(now: LiveRun) -> str:
    """Return what a search is doing, for the page and the terminal."""
    total = now.run.experiment.trials
    if now.searching:
        return "Running: the page is updated as trials end."
    if now.ended < total:
        return f"Stopped: {now.ended:,} of {total:,} trials have ended, and no process is running this search."
    return f"Finished: all {total:,} trials have ended."
