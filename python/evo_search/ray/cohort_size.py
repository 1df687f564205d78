"""How many candidates an actor is handed in one call.

Dispatch costs the same for one candidate as for a hundred, so a cohort should take many times as
long as its dispatch: the longer it is, the smaller the share; the shorter, the better actors share
what there is and the less is done again when one dies. With many actors it is the driver that has
to keep up, who dispatches for all of them: cohorts grow with their number. All times are measured.
None can move a result, since an outcome does not depend on its company.
"""

from __future__ import annotations

_TIMES_DISPATCH = 40.0
"""What a cohort takes, in times of its dispatch: a share of 2.5% at most."""
_DRIVER_SHARE = 0.25
"""Of the driver's time, what dispatch may take at most."""
_SHORTEST, _LONGEST = 0.1, 5.0
"""Between which seconds a cohort is kept, unless one candidate takes longer."""
_MOST = 1024
_WEIGHT = 0.3
"""Of a new measurement, in the running mean."""


class CohortSize:
    """The number of candidates in a cohort, from what cohorts have taken."""

    def __init__(self) -> None:
        self.dispatch: float | None = None
        """Seconds of a call that does nothing."""
        self._each: float | None = None

    def dispatched(self, seconds: float) -> None:
        """Notes what one call of an actor took that did nothing; the least counts, since anything
        more has waited for something else."""
        known = self.dispatch
        self.dispatch = seconds if known is None else min(seconds, known)

    def evaluated(self, candidates: int, seconds: float) -> None:
        """Notes what a cohort took in its actor."""
        mean = seconds / candidates
        known = self._each
        self._each = mean if known is None else known + _WEIGHT * (mean - known)

    def size(self, actors: int) -> int:
        """Candidates in the next cohort of each of so many actors; one while nothing is known."""
        if self._each is None:
            return 1
        times = max(_TIMES_DISPATCH, actors / _DRIVER_SHARE)
        wanted = min(max(times * (self.dispatch or 0.0), _SHORTEST), _LONGEST)
        return max(1, min(_MOST, round(wanted / max(self._each, 1e-9))))
