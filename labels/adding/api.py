"""API of adding data: look at it first, add it, synchronize, historical records."""

from typing import Any

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.models import User
from annotators.roles import Ability
from datasets.access import storage_or_404
from datasets.formats.readers import READERS
from datasets.problems import describe
from jobs import records, services
from jobs.api import RunSerializer
from jobs.models import SampleState
from jobs.pages import read_number
from labels.additions import STATES, Addition, Expected, add_data, look_at

MOST_RECORDS = 100


class PathField(serializers.CharField):
    """Names of files can begin and end with blanks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1024, trim_whitespace=False, **kwargs)


class AdditionSerializer(serializers.Serializer):
    storage = serializers.IntegerField(
        allow_null=True, default=None, help_text="A storage of your own, to copy from."
    )
    folder = PathField(
        allow_blank=True, default="", help_text="A folder of the server, to copy from."
    )
    path = PathField(
        allow_blank=True,
        default="",
        help_text="A folder in it; without storage and folder, one of the dataset itself.",
    )
    into = PathField(
        allow_blank=True, default="", help_text="A folder in the dataset for what is copied."
    )
    state = serializers.ChoiceField(
        choices=[state.value for state in STATES], default=SampleState.LABELED
    )
    format = serializers.ChoiceField(
        choices=list(READERS),
        allow_blank=True,
        default="",
        help_text="How the labels are written; empty for images alone, or to have it found out by "
        "the preview.",
    )
    files = serializers.ListField(
        child=PathField(), default=list, max_length=100, help_text="Label files below the path."
    )
    companions = serializers.ListField(
        child=PathField(), default=list, max_length=100, help_text="Lists of classes beside them."
    )
    renames = serializers.DictField(
        child=serializers.CharField(max_length=1024),
        default=dict,
        help_text="Names that cannot be labels here, with those that they get.",
    )
    only = serializers.ListField(
        child=serializers.CharField(max_length=1024, trim_whitespace=False),
        default=list,
        max_length=5_000,
        help_text="Only these labels, by their names in the files.",
    )
    only_hard = serializers.BooleanField(default=False)
    uploaded_since = serializers.DateTimeField(
        allow_null=True,
        default=None,
        help_text="What was uploaded into the dataset from then on. The format may be left out.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["storage"] is not None and attrs["folder"]:
            raise ValidationError(_("Name a storage or a folder of the server, not both."))
        return attrs

    def addition(self, user: User) -> Addition:
        """A storage that is not the user's is not found."""
        given = dict(self.validated_data)
        if given["storage"] is not None:
            storage_or_404(user, given["storage"])
        lists = {name: tuple(given[name]) for name in ("files", "companions", "only")}
        return Addition(**given | lists)


class DetectedSerializer(serializers.Serializer):
    format = serializers.CharField()
    certainty = serializers.CharField(help_text="sure, likely or possible")
    why = serializers.CharField()
    files = serializers.ListField(child=serializers.CharField())
    companions = serializers.ListField(child=serializers.CharField())


class RowSerializer(serializers.Serializer):
    path = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    split = serializers.CharField()
    is_labeled = serializers.BooleanField()
    is_hard = serializers.BooleanField()
    is_confirmed = serializers.BooleanField()


class BadLineSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.SerializerMethodField()

    def get_message(self, bad: Any) -> str:
        return describe(bad.code, bad.words())


class LabelToComeSerializer(serializers.Serializer):
    raw = serializers.CharField(help_text="The name in the files.")
    name = serializers.CharField(help_text="The name that it gets here, unless renamed.")
    is_new = serializers.BooleanField()
    number = serializers.IntegerField()
    colour = serializers.IntegerField()


class ExpectedSerializer(serializers.Serializer):
    detected = DetectedSerializer(many=True, help_text="What it could be, the likeliest first.")
    format = serializers.CharField(help_text="What was read; empty for images alone.")
    files = serializers.ListField(child=serializers.CharField())
    companions = serializers.ListField(child=serializers.CharField())
    images = serializers.IntegerField()
    already = serializers.IntegerField()
    has_more = serializers.BooleanField(help_text="This is the beginning of more.")
    rows = RowSerializer(many=True)
    bad_lines = BadLineSerializer(many=True)
    labels = LabelToComeSerializer(many=True)


class RecordSerializer(RunSerializer):
    """A run as a line of the history."""

    by = serializers.CharField(allow_null=True, help_text="Null: it came by itself.")
    source = serializers.CharField()
    mode = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True)
    problems = serializers.IntegerField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "by", "source", "mode", "seconds", "problems"]

    def to_representation(self, record: records.Record) -> dict[str, Any]:
        run = record.run
        return RunSerializer(run).data | {
            "by": run.created_by and str(run.created_by),
            "source": record.source,
            "mode": record.mode,
            "seconds": run.seconds,
            "problems": record.problems,
        }


class RecordPageSerializer(serializers.Serializer):
    results = RecordSerializer(many=True)
    next = serializers.IntegerField(
        allow_null=True, help_text="Give it as `before` for older ones; null at the end."
    )


BEFORE = OpenApiParameter("before", int, description="Records older than this one.")


def record_page(runs, request: Request) -> Response:
    """The newest first, page by page."""
    before = request.query_params.get("before", "")
    if before and read_number(before) is None:
        raise ValidationError({"before": [_("A whole number is needed.")]})
    found, following = records.page(runs, read_number(before), MOST_RECORDS)
    return Response(RecordPageSerializer({"results": found, "next": following}).data)


class Synchronize(APIView):
    @extend_schema(request=None, responses={201: RunSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        """Looks for what is new, changed and gone in the job's dataset."""
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        run = services.synchronize(member.job.dataset, job=member.job, by=request.user)
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


def addition_of(request: Request) -> Addition:
    """Nothing given never means all."""
    if not request.data:
        raise ValidationError({"state": [_("Say what is to be added.")]})
    data = AdditionSerializer(data=request.data)
    data.is_valid(raise_exception=True)
    return data.addition(request.user)


class Imports(APIView):
    @extend_schema(
        operation_id="jobs_imports_list", parameters=[BEFORE], responses=RecordPageSerializer
    )
    def get(self, request: Request, job_id: int) -> Response:
        """Historical records: every import and synchronization, the newest first."""
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        return record_page(records.of_job(member.job), request)

    @extend_schema(request=AdditionSerializer, responses={201: RunSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        """Adds data, with the labels that come along."""
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        run = add_data(member, addition_of(request))
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class ImportPreview(APIView):
    @extend_schema(request=AdditionSerializer, responses=ExpectedSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        """What an addition would bring, from a look at its beginning. Nothing is written."""
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        expected: Expected = look_at(member, addition_of(request))
        return Response(ExpectedSerializer(expected).data)


urlpatterns = [
    path("jobs/<int:job_id>/synchronize/", Synchronize.as_view(), name="api_synchronize"),
    path("jobs/<int:job_id>/imports/", Imports.as_view(), name="api_imports"),
    path("jobs/<int:job_id>/imports/preview/", ImportPreview.as_view(), name="api_import_preview"),
]
