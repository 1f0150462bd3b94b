"""What is wrong with the images of a dataset: how many for each reason, with examples."""

from dataclasses import dataclass

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from datasets.models import Dataset, Image
from datasets.problems import describe

# Besides the codes of what is wrong with files.
MISSING, REFUSED = "missing", "refused"
_EXAMPLES = 3


@dataclass(frozen=True)
class Group:
    """Images with the same reason. `message` is that of the first example; `refused` of them are
    not in any job."""

    code: str
    number: int
    refused: int
    message: str
    examples: list[Image]


def with_problem(dataset: Dataset, name: str) -> QuerySet[Image]:
    """`name`: missing, refused, or the code of a problem."""
    if name == MISSING:
        return dataset.images.exclude(missing_since=None).filter(is_refused=False)
    if name == REFUSED:
        return dataset.images.filter(is_refused=True)
    return dataset.images.filter(problem=name).exclude(problem="")


def groups(dataset: Dataset) -> list[Group]:
    """The most frequent first: two statements, whatever the number of images."""
    rows = dataset.images.exclude(problem="").order_by()
    numbered = rows.annotate(
        at=Window(RowNumber(), partition_by=F("problem"), order_by=F("pk").asc())
    )
    examples: dict[str, list[Image]] = {}
    for image in numbered.filter(at__lte=_EXAMPLES).order_by("problem", "pk"):
        examples.setdefault(image.problem, []).append(image)
    tally = rows.values("problem", "is_refused").annotate(number=Count("pk"))
    found: dict[str, list[int]] = {}
    for row in tally:
        counts = found.setdefault(row["problem"], [0, 0])
        counts[0] += row["number"]
        counts[1] += row["number"] if row["is_refused"] else 0
    return [
        Group(code, number, refused, message_of(shown[0]), shown)
        for code, (number, refused) in sorted(found.items(), key=lambda one: -one[1][0])
        if (shown := examples.get(code))
    ]


def message_of(image: Image) -> str:
    return describe(image.problem, image.problem_params) if image.problem else ""
