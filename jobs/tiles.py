"""What pages show of samples and labels: made here, so that templates only write it down."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from annotators.models import Member
from annotators.own_keys import Keys
from annotators.roles import DENIALS, Ability
from datasets.thumbnails import key_of
from inference.models import Prediction
from inference.services import Suggestion, suggested, suggestions
from jobs.counters import label_key
from jobs.models import Sample, SampleState
from jobs.pages import Place, TileRow, cursor_of
from jobs.vocabulary import Vocabulary
from labels.keys import keys_in_order
from labels.models import Label

# So many chips fit on a tile; of more labels the number is shown.
CHIPS = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """One sample in the grid, as text: looking things up in a template is what takes time, and
    formatting numbers for a language in which they are written as they are."""

    pk: str
    folder: str
    name: str
    href: str
    thumbnail: str
    label_ids: str
    chips: list[Label]
    more: int
    suggestion: Suggestion | None
    score: str
    is_hard: bool
    is_done: bool


def tiles_of(
    rows: Iterable[TileRow], labels: Iterable[Label], *, job_id: int, place: Place
) -> list[Tile]:
    """`labels` are those of the job, in their order."""
    labels = list(labels)
    known = Vocabulary(job_id, {label.name: label.pk for label in labels})
    numbers = {label.pk: number for number, label in enumerate(labels)}
    query, state = place.viewer_query(), place.state
    suffix = f"?{query}" if query else ""
    # Finding the address of a view two hundred times would cost a tenth of the page.
    job = reverse("job", args=[job_id])
    thumbnails = reverse("tile", args=[job_id, 0, "key"]).removesuffix("0/key/")

    def tile(row: TileRow) -> Tile:
        address = f"{job}samples/{row.pk}/"
        folder, slash, name = row.path.rpartition("/")
        # A label can have been deleted in between.
        carried = [labels[at] for at in sorted(numbers[pk] for pk in row.labels & numbers.keys())]
        suggested = None if carried else _suggested(row, known)
        return Tile(
            pk=str(row.pk),
            folder=folder + slash,
            name=name,
            href=address + (_suffix_of(row, place) if place.sort.has_gaps else suffix),
            thumbnail=f"{thumbnails}{row.pk}/{key_of(row.dataset_id, row.path, row.etag)}/",
            label_ids=label_ids([label.pk for label in carried], row.state),
            chips=carried[:CHIPS],
            more=len(carried) - CHIPS,
            suggestion=suggested,
            score=f"{suggested.score:.2f}" if suggested else "",
            is_hard=row.is_hard,
            is_done=bool(state) and row.state != state,
        )

    return [tile(row) for row in rows]


def label_ids(carried: Iterable[int], state: str) -> str:
    """For scripts: those that an image carries, or 0 for “nothing applies”."""
    listed = " ".join(map(str, carried))
    return listed or ("0" if state == SampleState.LABELED else "")


def _suffix_of(row: TileRow, place: Place) -> str:
    return f"?{place.viewer_query(cursor_of(row, place.sort))}"


def _suggested(row: TileRow, known: Vocabulary) -> Suggestion | None:
    if not row.top_labels:
        return None
    return suggested(row.top_labels[:1], known)[0]


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One line of the label panel, as text."""

    pk: str
    colour: str
    name: str
    description: str
    key: str
    shown_key: str
    count: str


def label_rows(labels: Iterable[Label], counts: dict[str, int], own: Keys) -> list[LabelRow]:
    """`own`: a key that does not reach its label for this person is not shown."""
    labels = list(labels)
    keys = [key if own.reaches_label(key) else "" for key in keys_in_order(labels)]
    return [
        LabelRow(
            pk=str(label.pk),
            colour=str(label.colour),
            name=label.name,
            description=label.description,
            key=key,
            shown_key=key.upper(),
            count=str(counts.get(label_key(label.pk), 0)),
        )
        for label, key in zip(labels, keys, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Offer:
    """One suggested label in the viewer: accepted by a click, or refused with the reason."""

    suggestion: Suggestion
    colour: int | None
    is_carried: bool
    refusal: str


def newest_prediction(sample: Sample) -> Prediction | None:
    return max(sample.predictions.all(), key=lambda one: one.created_at, default=None)


def offers(
    member: Member, sample: Sample, newest: Prediction, labels: Iterable[Label]
) -> list[Offer]:
    """What a prediction of the sample says, in terms of the job."""
    by_id = {label.pk: label for label in labels}
    carried = {annotation.label_id for annotation in sample.annotations.all()}
    names = {label.name: pk for pk, label in by_id.items()}
    found = suggestions(newest, Vocabulary(member.job_id, names))
    return [
        Offer(
            suggestion=one,
            colour=by_id[one.label].colour if one.label else None,
            is_carried=one.label in carried,
            refusal=refusal(member, one),
        )
        for one in found
    ]


def refusal(member: Member, one: Suggestion) -> str:
    """Why the member may not accept the suggestion, or nothing."""
    if not member.can(Ability.LABEL):
        return str(DENIALS[Ability.LABEL])
    if one.label is None and not member.can(Ability.CREATE_LABEL):
        return str(DENIALS[Ability.CREATE_LABEL])
    return ""
