"""What a rung is worth: whether the errors at it tell how trainings end.

The first trials, and every sixth after them, are trained to their last epoch whatever their errors: a fair sample.
While the rank correlation between the errors at a rung and the last ones is low in it, nothing is stopped there. So the
first rung that stops anything is later where early errors say little, as after a long warm-up or for small networks.
"""

FIRST = 5  # trials that are trained to their last epoch
EVERY = 6  # trials after them, one of which is
MIN_CORRELATION = 0.5
UNSURE = 3  # trials without any correlation, which count beside the sampled ones


class RungWorth:
    """The errors of the sampled trials at each rung and at their ends."""

    def __init__(self) -> None:
        self._early: dict[int, dict[int, float]] = {}  # by rung and number
        self._last: dict[int, float] = {}  # by number

    def is_sampled(self, number: int) -> bool:
        """Return whether a trial is trained to its last epoch, whatever its errors."""
        return number < FIRST or number % EVERY == 0

    def note(self, number: int, rung: int, error: float) -> None:
        """Record the error of a trial at a rung."""
        if self.is_sampled(number):
            self._early.setdefault(rung, {})[number] = error

    def end(self, number: int, error: float) -> None:
        """Record the last error of a trial that was trained to its last epoch."""
        if self.is_sampled(number):
            self._last[number] = error

    def tells(self, rung: int) -> bool:
        """Return whether trials may be stopped at a rung."""
        return self.correlation(rung) >= MIN_CORRELATION

    def correlation(self, rung: int) -> float:
        """Return Spearman's correlation of the errors at a rung with the last ones, nearer to 0 the less is known."""
        early = self._early.get(rung, {})
        known = [number for number in early if number in self._last]
        if len(known) < FIRST:
            return 0.0
        from scipy.stats import rankdata  # imported late: it takes a second or two

        a, b = rankdata([early[number] for number in known]), rankdata([self._last[number] for number in known])
        spread = float(a.std() * b.std())
        together = float(((a - a.mean()) * (b - b.mean())).mean())
        return together / spread * len(known) / (len(known) + UNSURE) if spread else 0.0
