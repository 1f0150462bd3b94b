"""What a command that changes samples answers."""

from dataclasses import dataclass, field

from jobs.models import Change
from runs.models import Run


@dataclass(frozen=True)
class Result:
    """The change (None when nothing was left to do) and the counters that it moved.

    `left`: selected samples that could not be done, by reason. With `run` the change has only
    begun, and `planned` is how many samples it is about.
    """

    change: Change | None
    sample_ids: list[int]
    counts: dict[str, int]
    skipped: int = 0
    left: dict[str, int] = field(default_factory=dict)
    run: Run | None = None
    planned: int = 0
