"""Asks the model for labels, keeps what it said, and turns it into annotations when somebody
accepts. One function per verb; those for many samples at once are in inference/decisions.py."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from annotators.models import Member
from datasets.models import Image
from datasets.pixels import BadImage
from datasets.problems import describe
from datasets.storages import StorageError
from datasets.thumbnails import rendition_of
from inference import client
from inference.models import Prediction
from jobs.models import Job, Sample
from jobs.selection import Selection
from jobs.vocabulary import Vocabulary
from labelhub.errors import Conflict, DomainError
from labels.annotate import Result, annotate, hold
from labels.models import Label
from labels.names import suggest
from labels.services import label_for

MOST_AT_ONCE = 64
# Formats that the model server does not read. All others it does, and to the bit as in training.
CONVERTED = frozenset({"HEIC"})


@dataclass(frozen=True)
class Suggestion:
    """One label of a prediction as a job shows it: the model's name, the name it has or would get
    in the job, and the job's label, if there is one."""

    name: str
    score: float
    label_name: str
    label: int | None


@dataclass(frozen=True)
class Predicted:
    model: str
    numeric_mode: str
    suggestions: dict[int, list[Suggestion]]
    problems: dict[int, str]


def predict(member: Member, sample_ids: list[int]) -> Predicted:
    """Has the model look at samples of the member's job and keeps what it says."""
    if not sample_ids or len(sample_ids) > MOST_AT_ONCE:
        raise DomainError(
            _("Ask for 1 to %(most)d images at once.") % {"most": MOST_AT_ONCE}, code="too_many"
        )
    samples = list(
        member.job.samples.filter(pk__in=sample_ids).select_related("image__dataset__storage")
    )
    images, problems = _read_images(samples)
    if not images:
        return Predicted("", "", {}, problems)
    answer = client.classify([image for _sample, image in images])
    kept = []
    for (sample, _image), scored in zip(images, answer.images, strict=True):
        if scored.problem:
            problems[sample.pk] = scored.problem
        else:
            kept.append(
                Prediction(
                    sample=sample,
                    model=answer.model,
                    numeric_mode=answer.numeric_mode,
                    labels=[list(pair) for pair in scored.labels],
                )
            )
    _keep(member.job, kept)
    known = Vocabulary(member.job.pk)
    return Predicted(
        answer.model,
        answer.numeric_mode,
        {one.sample_id: suggestions(one, known) for one in kept},
        problems,
    )


def _read_images(samples: list[Sample]) -> tuple[list[tuple[Sample, bytes]], dict[int, str]]:
    images, problems = [], {}
    for sample in samples:
        try:
            images.append((sample, _bytes_of(sample.image)))
        except StorageError as error:
            problems[sample.pk] = str(error)
        except BadImage as bad:
            problems[sample.pk] = describe(bad.code, bad.params)
    return images, problems


def _bytes_of(image: Image) -> bytes:
    """As the model server reads it: the file, or the picture that browsers are shown."""
    if image.format in CONVERTED and (rendition := rendition_of(image)) is not None:
        return rendition.read_bytes()
    with image.dataset.storage.driver().open(image.key) as stream:
        return stream.read()


@transaction.atomic
def _keep(job: Job, predictions: list[Prediction]) -> None:
    """The newest word of a model on a sample replaces its older one; what people rejected of that
    model stays rejected."""
    models = {prediction.model for prediction in predictions}
    ids = [prediction.sample_id for prediction in predictions]
    there = Prediction.objects.filter(sample__in=ids, model__in=models).exclude(rejected=[])
    rejected = {
        (sample, model): {name for name, _score in pairs}
        for sample, model, pairs in there.values_list("sample_id", "model", "rejected")
    }
    for one in predictions:
        names = rejected.get((one.sample_id, one.model), set())
        one.rejected = [pair for pair in one.labels if pair[0] in names]
        said = {name for name, _score in one.rejected}
        # One that the model does not name this time may come back another time.
        one.rejected += [[name, 0.0] for name in sorted(names - said)]
        one.labels = [pair for pair in one.labels if pair[0] not in names]
    Prediction.objects.bulk_create(
        predictions,
        update_conflicts=True,
        unique_fields=["sample", "model"],
        update_fields=["numeric_mode", "labels", "rejected", "created_at"],
    )
    note_best(job, {one.sample_id: one for one in predictions})


def newest(samples: Iterable[int]) -> dict[int, Prediction]:
    """The newest prediction of each sample that has one, in one statement."""
    rows = Prediction.objects.filter(sample__in=samples).order_by("created_at", "pk")
    return {prediction.sample_id: prediction for prediction in rows}


def note_best(job: Job, predictions: dict[int, Prediction]) -> None:
    """Writes the best label of each sample's newest prediction where filters and sorting look."""
    known = Vocabulary(job.pk)
    samples = []
    for pk, prediction in predictions.items():
        name, score = next(iter(prediction.labels), ("", None))
        score = None if score is None else min(max(score, 0.0), 1.0)
        samples.append(Sample(pk=pk, top_score=score, top_name=name and _word(name, known)))
    Sample.everything.bulk_update(samples, ["top_score", "top_name"], batch_size=500)


def _word(name: str, known: Vocabulary) -> str:
    """What a label of that name is called in a job. It stays so when the label is renamed."""
    return name if name in known.labels else suggest(name)


def suggestions(prediction: Prediction, known: Vocabulary) -> list[Suggestion]:
    """The prediction in terms of a job, whose labels are `known`."""
    return suggested(prediction.labels, known)


def suggested(scored: list[list], known: Vocabulary) -> list[Suggestion]:
    """The same of a prediction's labels and scores alone."""
    found = []
    for name, score in scored:
        word = _word(name, known)
        label = known.label(word)
        found.append(Suggestion(name, score, known.name(label) if label else word, label))
    return found


@transaction.atomic
def accept(member: Member, sample_id: int, name: str) -> tuple[Result, Label]:
    """Puts a predicted label (by the model's name) on the sample; the job gets the label if it
    lacks it and the member may add labels."""
    predictions = Prediction.objects.filter(sample__job=member.job, sample=sample_id)
    for prediction in predictions.order_by("-created_at"):
        for one in suggestions(prediction, Vocabulary(member.job.pk)):
            if one.name == name:
                selection = Selection(ids=(sample_id,))
                # The image first, then a new label: so does who accepts many at once.
                hold(selection.resolve(member.job))
                label = label_for(member, one.label_name)
                scores = {label.pk: min(max(one.score, 0.0), 1.0)}
                return annotate(member, selection, add=[label.pk], scores=scores), label
    raise Conflict(_("The model no longer suggests “%(name)s”.") % {"name": name}, code="gone")
