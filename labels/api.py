"""API of meaning: labels, annotate, hard examples, deleting and restoring, undo."""

from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.roles import Ability
from jobs import deletions, selection
from jobs.api import LabelSerializer, RunSerializer
from jobs.models import Verb
from labels.annotate import MOST_IN_MESSAGE, Result, annotate
from labels.hard import mark_hard
from labels.repeats import once
from labels.services import create_label
from labels.trash import restore, trash
from labels.undo import redo_last, undo_last


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


class AnnotateSerializer(SelectionSerializer):
    add = serializers.ListField(child=serializers.IntegerField(), default=list, max_length=100)
    remove = serializers.ListField(child=serializers.IntegerField(), default=list, max_length=100)
    clear = serializers.BooleanField(default=False)


class ResultSerializer(serializers.Serializer):
    change = serializers.IntegerField(allow_null=True)
    verb = serializers.CharField(allow_null=True)
    changed = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Left alone, because others touched them since.")
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
        "verb": verb,
        "changed": len(ids),
        "skipped": result.skipped,
        "samples": ids if len(ids) <= MOST_IN_MESSAGE else [],
        "counts": result.counts,
        "message": _message(verb, len(ids), result.skipped),
    }


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
        what = {name: data.validated_data[name] for name in ("add", "remove", "clear")}
        return Response(result_body(annotate(member, chosen, **what)))


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
        return Response(result_body(mark_hard(member, chosen, is_hard=is_hard)))


class Trash(APIView):
    @extend_schema(request=SelectionSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
        return Response(result_body(trash(member, selection.parse(request.data))))


class Restore(APIView):
    """Out of the trash. The trash has no filters: `query` is empty there, for all of it."""

    @extend_schema(request=SelectionSerializer, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
        return Response(result_body(restore(member, selection.parse(request.data))))


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
        return Response(result_body(undo_last(member)))


class Redo(APIView):
    @extend_schema(request=None, responses=ResultSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        return Response(result_body(redo_last(member)))


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
    path("jobs/<int:job_id>/undo/", Undo.as_view(), name="api_undo"),
    path("jobs/<int:job_id>/redo/", Redo.as_view(), name="api_redo"),
    path("jobs/<int:job_id>/labels/", Labels.as_view(), name="api_labels"),
]
