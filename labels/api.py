"""API of meaning: labels, annotate, hard examples, deleting and restoring, undo, history."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.roles import Ability
from jobs import deletions, selection
from jobs.api import LabelSerializer, RunSerializer
from jobs.models import PURGED, Sample, Verb
from labels import history
from labels.annotate import MOST_IN_MESSAGE, Result, annotate, set_labels
from labels.hard import mark_hard
from labels.repeats import once
from labels.services import create_label
from labels.summary import summarize
from labels.trash import restore, trash
from labels.undo import redo_last, undo_change, undo_last


class SelectionSerializer(serializers.Serializer):
    """Which samples: `ids`, or `query` with `except`, `expected` and `through`."""

    ids = serializers.ListField(child=serializers.IntegerField(), required=False)
    query = serializers.CharField(required=False, allow_blank=True, help_text="state=unlabeled …")
    expected = serializers.IntegerField(required=False)
    through = serializers.IntegerField(required=False)

    def get_fields(self):
        # `except` is a word of the language and cannot be declared as an attribute.
        numbers = serializers.ListField(child=serializers.IntegerField(), required=False)
        return super().get_fields() | {"except": numbers}


class ReplaceSerializer(serializers.Serializer):
    to = serializers.IntegerField()

    def get_fields(self):
        return super().get_fields() | {"from": serializers.IntegerField()}


class AnnotateSerializer(SelectionSerializer):
    add = serializers.ListField(child=serializers.IntegerField(), default=list, max_length=100)
    remove = serializers.ListField(child=serializers.IntegerField(), default=list, max_length=100)
    clear = serializers.BooleanField(default=False)
    nothing = serializers.BooleanField(default=False, help_text="Labeled, with no label.")
    replace = ReplaceSerializer(
        required=False, help_text="Another label on those of the selection that carry the first."
    )


class ResultSerializer(serializers.Serializer):
    """With 202 the change has begun and `run` carries it out: more than 5,000 images."""

    change = serializers.IntegerField(allow_null=True)
    run = RunSerializer(allow_null=True)
    verb = serializers.CharField(allow_null=True)
    changed = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Left alone, because others touched them since.")
    left = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Selected images that could not be done, by reason: no_suggestion, no_label.",
    )
    samples = serializers.ListField(
        child=serializers.IntegerField(), help_text="Empty when there are more than 200."
    )
    counts = serializers.DictField(child=serializers.IntegerField())
    message = serializers.CharField()


def result_body(result: Result) -> dict:
    """The answer to every command that changes samples."""
    verb = result.change.verb if result.change else None
    ids = result.sample_ids
    return {
        "change": result.change.pk if result.change else None,
        "run": RunSerializer(result.run).data if result.run else None,
        "verb": verb,
        "changed": len(ids),
        "skipped": result.skipped,
        "left": result.left,
        "samples": ids if len(ids) <= MOST_IN_MESSAGE else [],
        "counts": result.counts,
        "message": getattr(result, "message", "") or message_of(result),
    }


def answered(result: Result, **more: Any) -> Response:
    """The answer to every command that changes samples: 202 where a run goes on with it."""
    code = status.HTTP_202_ACCEPTED if result.run else status.HTTP_200_OK
    return Response(result_body(result) | more, status=code)


def message_of(result: Result) -> str:
    if result.run:
        said = ngettext("Working on %(n)s image.", "Working on %(n)s images.", result.planned)
        return said % {"n": intcomma(result.planned)}
    verb = result.change.verb if result.change else None
    said = [_message(verb, len(result.sample_ids), result.skipped)]
    if number := result.left.get("no_suggestion"):
        text = ngettext("%(n)d has no such suggestion.", "%(n)d have no such suggestion.", number)
        said.append(text % {"n": number})
    if number := result.left.get("no_label"):
        text = ngettext(
            "%(n)d was left: the job lacks its label, and your role adds none.",
            "%(n)d were left: the job lacks their labels, and your role adds none.",
            number,
        )
        said.append(text % {"n": number})
    return " ".join(said)


def _message(verb: str | None, number: int, skipped: int) -> str:
    if verb in (Verb.UNDO, Verb.REDO) or skipped:
        done = (
            ngettext("Redid %(n)d image.", "Redid %(n)d images.", number)
            if verb == Verb.REDO
            else ngettext("Undid %(n)d image.", "Undid %(n)d images.", number)
        ) % {"n": number}
        if not skipped:
            return done
        left = ngettext(
            "%(n)d was changed by others since and left as it is.",
            "%(n)d were changed by others since and left as they are.",
            skipped,
        ) % {"n": skipped}
        return f"{done} {left}"
    if verb is None:
        return _("Nothing to change.")
    return _said(verb, number) % {"n": number}


def _said(verb: str, number: int) -> str:
    match verb:
        case Verb.ACCEPT:
            return ngettext("Accepted for %(n)d image.", "Accepted for %(n)d images.", number)
        case Verb.REJECT:
            return ngettext(
                "Rejected a suggestion for %(n)d image.",
                "Rejected suggestions for %(n)d images.",
                number,
            )
        case Verb.TRASH:
            return ngettext("Deleted %(n)d image.", "Deleted %(n)d images.", number)
        case Verb.RESTORE:
            return ngettext("Restored %(n)d image.", "Restored %(n)d images.", number)
        case Verb.HARD:
            return ngettext(
                "Marked %(n)d image as hard example.",
                "Marked %(n)d images as hard examples.",
                number,
            )
        case Verb.NOT_HARD:
            return ngettext(
                "%(n)d image is no hard example any more.",
                "%(n)d images are no hard examples any more.",
                number,
            )
    return ngettext("Labeled %(n)d image.", "Labeled %(n)d images.", number)


class Annotate(APIView):
    @extend_schema(request=AnnotateSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        chosen = selection.parse(request.data)
        data = AnnotateSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        what = {name: data.validated_data[name] for name in ("add", "remove", "clear", "nothing")}
        if replace := data.validated_data.get("replace"):
            what["replace"] = (replace["from"], replace["to"])
        return answered(annotate(member, chosen, **what))


class LabelSetSerializer(serializers.Serializer):
    labels = serializers.ListField(child=serializers.IntegerField(), max_length=100)
    version = serializers.IntegerField(help_text="Of the sample when it was read.")


class SampleLabels(APIView):
    @extend_schema(request=LabelSetSerializer, responses=ResultSerializer)
    def post(self, request: Request, job_id: int, sample_id: int) -> Response:
        """Writes the whole set. 409, with `yours` and `present`, when the version is another."""
        member = member_or_404(request.user, job_id, Ability.LABEL)
        data = LabelSetSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        sample = get_object_or_404(member.job.samples, pk=sample_id)
        version = data.validated_data["version"]
        labels = data.validated_data["labels"]
        return answered(set_labels(member, sample.pk, labels, version=version))


class LabelShareSerializer(LabelSerializer):
    count = serializers.IntegerField(help_text="How many of the selection carry it.")

    class Meta(LabelSerializer.Meta):
        fields = [*LabelSerializer.Meta.fields, "count"]


class SummarySerializer(serializers.Serializer):
    count = serializers.IntegerField()
    hard = serializers.IntegerField()
    nothing = serializers.IntegerField(help_text="Labeled, with no label.")
    states = serializers.DictField(child=serializers.IntegerField())
    labels = LabelShareSerializer(many=True)
    through = serializers.IntegerField(
        allow_null=True, help_text="Of a query: give it with a command to act on these alone."
    )


class Selected(APIView):
    @extend_schema(request=SelectionSerializer, responses=SummarySerializer)
    def post(self, request: Request, job_id: int) -> Response:
        """What is selected: how many images, their states, and labels with their counts."""
        member = member_or_404(request.user, job_id)
        found = summarize(member.job, selection.parse(request.data))
        return Response(SummarySerializer(found).data)


class HardSerializer(SelectionSerializer):
    is_hard = serializers.BooleanField()


class Hard(APIView):
    @extend_schema(request=HardSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        chosen = selection.parse(request.data)
        data = HardSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        is_hard = data.validated_data["is_hard"]
        return answered(mark_hard(member, chosen, is_hard=is_hard))


class Trash(APIView):
    @extend_schema(request=SelectionSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
        return answered(trash(member, selection.parse(request.data)))


class Restore(APIView):
    """Out of the trash. The trash has no filters: `query` is empty there, for all of it."""

    @extend_schema(request=SelectionSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
        return answered(restore(member, selection.parse(request.data)))


class JobUseSerializer(serializers.Serializer):
    name = serializers.CharField()
    labeled = serializers.IntegerField(help_text="Of these images, in that job.")


class DeletionPreviewSerializer(serializers.Serializer):
    """What deleting the files would touch, beside the job itself."""

    count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    jobs = JobUseSerializer(many=True)
    other_jobs = serializers.IntegerField(help_text="Jobs that you are not a member of.")
    other_labeled = serializers.IntegerField()
    datasets = serializers.ListField(child=serializers.CharField())
    other_datasets = serializers.IntegerField()


class ObstacleSerializer(serializers.Serializer):
    is_allowed = serializers.BooleanField()
    message = serializers.CharField(help_text="Why not; empty when it is allowed.")
    can_test = serializers.BooleanField(help_text="A test of the storage may change that.")


def _obstacle_body(stands: deletions.Obstacle | None) -> dict:
    return {
        "is_allowed": stands is None,
        "message": stands.message if stands else "",
        "can_test": bool(stands and stands.can_test),
    }


class DeletionPreview(APIView):
    @extend_schema(request=SelectionSerializer, responses=DeletionPreviewSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_FILES)
        found = deletions.preview(member, selection.parse(request.data))
        return Response(DeletionPreviewSerializer(found).data)


class DeletionTest(APIView):
    """Tests whether the storage of the job lets files be deleted."""

    @extend_schema(request=None, responses=ObstacleSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_FILES)
        return Response(_obstacle_body(deletions.test_storage(member)))


class Deletion(APIView):
    """Deletes the source files, for good. `expected` has to be the number of images."""

    @extend_schema(request=SelectionSerializer, responses={201: RunSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_FILES)
        run = deletions.start_deletion(member, selection.parse(request.data))
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class Undo(APIView):
    @extend_schema(request=None, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        return answered(undo_last(member))


class Redo(APIView):
    @extend_schema(request=None, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        return answered(redo_last(member))


class PersonSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="__str__")


class EntrySerializer(serializers.Serializer):
    """A change in the history. `message` says it in words."""

    id = serializers.IntegerField()
    verb = serializers.CharField()
    who = PersonSerializer(allow_null=True)
    when = serializers.DateTimeField()
    count = serializers.IntegerField()
    message = serializers.CharField()
    undone_by = PersonSerializer(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    run = serializers.IntegerField(allow_null=True, help_text="That is still at work on it.")
    may_undo = serializers.BooleanField()


class EntryPageSerializer(serializers.Serializer):
    results = EntrySerializer(many=True)
    next = serializers.IntegerField(
        allow_null=True, help_text="Give it as `before` for the next page; null on the last."
    )


class Changes(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("by", int),
            OpenApiParameter("verb", str),
            OpenApiParameter("before", int),
        ],
        responses=EntryPageSerializer,
    )
    def get(self, request: Request, job_id: int) -> Response:
        """The newest first."""
        member = member_or_404(request.user, job_id)
        page = history.read_page(member, history.read_place(request.query_params))
        return Response(EntryPageSerializer({"results": page.entries, "next": page.next}).data)


class ChangeUndo(APIView):
    @extend_schema(request=None, responses={200: ResultSerializer, 202: ResultSerializer})
    def post(self, request: Request, job_id: int, change_id: int) -> Response:
        """Undoes this change; an undo is redone. Others' changes: managers and the owner."""
        member = member_or_404(request.user, job_id, Ability.LABEL)
        change = get_object_or_404(member.job.changes, pk=change_id)
        return answered(undo_change(member, change))


class SampleHistory(APIView):
    @extend_schema(responses=EntrySerializer(many=True))
    def get(self, request: Request, job_id: int, sample_id: int) -> Response:
        """What was done to one image, the newest first."""
        member = member_or_404(request.user, job_id)
        rows = Sample.everything.filter(job=member.job).exclude(trashed_at=PURGED)
        sample = get_object_or_404(rows, pk=sample_id)
        return Response(EntrySerializer(history.of_sample(member, sample), many=True).data)


class NewLabelSerializer(serializers.Serializer):
    # The rule for names stands in labels/names.py and answers with a suggestion.
    name = serializers.CharField(max_length=4000, allow_blank=True, trim_whitespace=False)


class Labels(APIView):
    @extend_schema(responses=LabelSerializer(many=True))
    def get(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        return Response(LabelSerializer(member.job.labels.all(), many=True).data)

    @extend_schema(request=NewLabelSerializer, responses={201: LabelSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.CREATE_LABEL)
        data = NewLabelSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        label = create_label(member.job, data.validated_data["name"])
        return Response(LabelSerializer(label).data, status=status.HTTP_201_CREATED)


urlpatterns = [
    path("jobs/<int:job_id>/annotate/", Annotate.as_view(), name="api_annotate"),
    path("jobs/<int:job_id>/hard/", Hard.as_view(), name="api_hard"),
    path("jobs/<int:job_id>/trash/", Trash.as_view(), name="api_trash"),
    path("jobs/<int:job_id>/restore/", Restore.as_view(), name="api_restore"),
    path("jobs/<int:job_id>/deletion/", Deletion.as_view(), name="api_deletion"),
    path(
        "jobs/<int:job_id>/deletion/preview/",
        DeletionPreview.as_view(),
        name="api_deletion_preview",
    ),
    path("jobs/<int:job_id>/deletion/test/", DeletionTest.as_view(), name="api_deletion_test"),
    path("jobs/<int:job_id>/selection/", Selected.as_view(), name="api_selection"),
    path(
        "jobs/<int:job_id>/samples/<int:sample_id>/labels/",
        SampleLabels.as_view(),
        name="api_sample_labels",
    ),
    path(
        "jobs/<int:job_id>/samples/<int:sample_id>/history/",
        SampleHistory.as_view(),
        name="api_sample_history",
    ),
    path("jobs/<int:job_id>/changes/", Changes.as_view(), name="api_changes"),
    path(
        "jobs/<int:job_id>/changes/<int:change_id>/undo/",
        ChangeUndo.as_view(),
        name="api_change_undo",
    ),
    path("jobs/<int:job_id>/undo/", Undo.as_view(), name="api_undo"),
    path("jobs/<int:job_id>/redo/", Redo.as_view(), name="api_redo"),
    path("jobs/<int:job_id>/labels/", Labels.as_view(), name="api_labels"),
]
