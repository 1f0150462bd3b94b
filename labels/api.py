"""API of meaning: labels, annotate, undo."""

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
from jobs import selection
from jobs.api import LabelSerializer
from jobs.models import Verb
from labels.annotate import MOST_IN_MESSAGE, Result, annotate
from labels.services import create_label
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
        "message": getattr(result, "message", "") or _message(verb, len(ids), result.skipped),
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
    if verb == Verb.ACCEPT:
        return ngettext("Accepted for %(n)d image.", "Accepted for %(n)d images.", number) % {
            "n": number
        }
    return ngettext("Labeled %(n)d image.", "Labeled %(n)d images.", number) % {"n": number}


class Annotate(APIView):
    @extend_schema(request=AnnotateSerializer, responses=ResultSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        chosen = selection.parse(request.data)
        data = AnnotateSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        what = {name: data.validated_data[name] for name in ("add", "remove", "clear")}
        return Response(result_body(annotate(member, chosen, **what)))


class Undo(APIView):
    @extend_schema(request=None, responses=ResultSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        return Response(result_body(undo_last(member)))


class Redo(APIView):
    @extend_schema(request=None, responses=ResultSerializer)
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
    path("jobs/<int:job_id>/undo/", Undo.as_view(), name="api_undo"),
    path("jobs/<int:job_id>/redo/", Redo.as_view(), name="api_redo"),
    path("jobs/<int:job_id>/labels/", Labels.as_view(), name="api_labels"),
]
