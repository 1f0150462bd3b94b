"""API of datasets: what is in one, what is wrong with it, its synchronizations."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import services
from datasets.access import dataset_or_404, datasets_of
from datasets.models import Dataset, Image
from datasets.overview.problems import message_of, with_problem
from datasets.summaries import EMPTY
from jobs import records, schedules
from jobs.api import RunSerializer
from jobs.pages import read_number
from jobs.services import steer, synchronize
from labels.adding.api import BEFORE, RecordPageSerializer, record_page
from labels.missing import settle_missing

MOST_PER_PAGE = 200


class DatasetSummarySerializer(serializers.Serializer):
    images = serializers.IntegerField(help_text="Those that can be used.")
    bytes = serializers.IntegerField()
    refused = serializers.IntegerField()
    missing = serializers.IntegerField()
    formats = serializers.DictField(child=serializers.IntegerField())


class DatasetSerializer(serializers.ModelSerializer):
    storage = serializers.IntegerField(source="storage_id", read_only=True)
    summary = serializers.SerializerMethodField()
    sync_minutes = serializers.IntegerField(
        min_value=schedules.LEAST_MINUTES,
        max_value=schedules.MOST_MINUTES,
        allow_null=True,
        help_text="How often it is synchronized by itself; null: when somebody asks.",
    )

    class Meta:
        model = Dataset
        fields = [
            "id",
            "name",
            "storage",
            "prefix",
            "created_at",
            "summary",
            "reads_labels",
            "sync_minutes",
            "next_sync_at",
        ]
        read_only_fields = ["prefix", "created_at", "next_sync_at"]

    @extend_schema_field(DatasetSummarySerializer)
    def get_summary(self, dataset: Dataset) -> dict[str, Any]:
        return DatasetSummarySerializer(EMPTY | {"formats": {}} | dataset.summary).data


class ImageSerializer(serializers.ModelSerializer):
    message = serializers.SerializerMethodField(help_text="What is wrong with the file.")

    class Meta:
        model = Image
        fields = [
            "id",
            "path",
            "size",
            "format",
            "is_refused",
            "problem",
            "message",
            "missing_since",
            "is_settled",
        ]

    def get_message(self, image: Image) -> str:
        return message_of(image)


class ImagePageSerializer(serializers.Serializer):
    results = ImageSerializer(many=True)
    next = serializers.IntegerField(
        allow_null=True, help_text="Give it as `after` for the next page; null on the last."
    )


class MissingSerializer(serializers.Serializer):
    action = serializers.ChoiceField(choices=["keep", "remove"])
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=5_000,
        allow_empty=False,
    )
    all = serializers.BooleanField(required=False, help_text="All that wait for a decision.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("all")) == ("ids" in attrs):
            raise ValidationError(_("Say which images: either ids or all."))
        return attrs


class SettledSerializer(serializers.Serializer):
    images = serializers.IntegerField(help_text="Decided about.")
    removed = serializers.IntegerField(help_text="Samples in the trash of your jobs.")
    others = serializers.IntegerField(help_text="Jobs in which you delete nothing.")
    left = serializers.IntegerField(
        help_text="Images that wait still: at most 5,000 go at once. Ask again."
    )
    changes = serializers.DictField(
        child=serializers.IntegerField(), help_text="{job: the change that can be undone}"
    )


class Datasets(APIView):
    @extend_schema(responses=DatasetSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = datasets_of(request.user).order_by("pk")
        return Response(DatasetSerializer(rows, many=True).data)


class OneDataset(APIView):
    @extend_schema(responses=DatasetSerializer)
    def get(self, request: Request, dataset_id: int) -> Response:
        return Response(DatasetSerializer(dataset_or_404(request.user, dataset_id)).data)

    @extend_schema(request=DatasetSerializer(partial=True), responses=DatasetSerializer)
    def patch(self, request: Request, dataset_id: int) -> Response:
        found = dataset_or_404(request.user, dataset_id)
        data = DatasetSerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        services.change_dataset(
            found, name=given.get("name"), reads_labels=given.get("reads_labels")
        )
        if "sync_minutes" in given:
            schedules.schedule(found, given["sync_minutes"])
        return Response(DatasetSerializer(found).data)


class SynchronizeDataset(APIView):
    @extend_schema(request=None, responses={201: RunSerializer})
    def post(self, request: Request, dataset_id: int) -> Response:
        """Looks for what is new, changed and gone, for all jobs over the dataset."""
        run = synchronize(dataset_or_404(request.user, dataset_id), by=request.user)
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class DatasetImages(APIView):
    @extend_schema(
        operation_id="datasets_images_list",
        parameters=[
            OpenApiParameter(
                "problem", str, required=True, description="missing, refused, or a problem's code"
            ),
            OpenApiParameter("after", int),
        ],
        responses=ImagePageSerializer,
    )
    def get(self, request: Request, dataset_id: int) -> Response:
        """Images with something wrong."""
        found = dataset_or_404(request.user, dataset_id)
        problem, after = (request.query_params.get(name, "") for name in ("problem", "after"))
        if not problem:
            raise ValidationError({"problem": [_("Say which problem.")]})
        if after and read_number(after) is None:
            raise ValidationError({"after": [_("A whole number is needed.")]})
        rows = with_problem(found, problem).filter(pk__gt=read_number(after) or 0).order_by("pk")
        listed = list(rows[: MOST_PER_PAGE + 1])
        page = listed[:MOST_PER_PAGE]
        following = page[-1].pk if len(listed) > MOST_PER_PAGE else None
        return Response(ImagePageSerializer({"results": page, "next": following}).data)


class MissingImages(APIView):
    @extend_schema(request=MissingSerializer, responses=SettledSerializer)
    def post(self, request: Request, dataset_id: int) -> Response:
        """Keeps images whose files are gone, or puts their samples into the trash of your jobs."""
        found = dataset_or_404(request.user, dataset_id)
        data = MissingSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        settled = settle_missing(
            found,
            by=request.user,
            keep=given["action"] == "keep",
            ids=given.get("ids", ()),
            everything=bool(given.get("all")),
        )
        changes = {str(job): change.pk for job, change in settled.changes.items()}
        counts = {name: getattr(settled, name) for name in ("images", "removed", "others", "left")}
        return Response(SettledSerializer(counts | {"changes": changes}).data)


class DatasetRuns(APIView):
    @extend_schema(
        operation_id="datasets_runs_list", parameters=[BEFORE], responses=RecordPageSerializer
    )
    def get(self, request: Request, dataset_id: int) -> Response:
        """Synchronizations and examinations, and imports into your jobs; the newest first."""
        found = dataset_or_404(request.user, dataset_id)
        return record_page(records.of_dataset(found, request.user), request)


class DatasetRun(APIView):
    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, dataset_id: int, run_id: int) -> Response:
        return Response(RunSerializer(run_or_404(request, dataset_id, run_id)).data)


class DatasetRunCommand(APIView):
    """Cancels or retries."""

    command: str = ""

    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, dataset_id: int, run_id: int) -> Response:
        run = run_or_404(request, dataset_id, run_id)
        steer(run, self.command)
        return Response(RunSerializer(run).data)


def run_or_404(request: Request, dataset_id: int, run_id: int):
    found = dataset_or_404(request.user, dataset_id)
    return get_object_or_404(found.runs.filter(kind__in=records.OF_A_DATASET), pk=run_id)


urlpatterns = [
    path("datasets/", Datasets.as_view(), name="api_datasets"),
    path("datasets/<int:dataset_id>/", OneDataset.as_view(), name="api_dataset"),
    path(
        "datasets/<int:dataset_id>/synchronize/",
        SynchronizeDataset.as_view(),
        name="api_dataset_synchronize",
    ),
    path("datasets/<int:dataset_id>/images/", DatasetImages.as_view(), name="api_dataset_images"),
    path("datasets/<int:dataset_id>/missing/", MissingImages.as_view(), name="api_dataset_missing"),
    path("datasets/<int:dataset_id>/runs/", DatasetRuns.as_view(), name="api_dataset_runs"),
    path(
        "datasets/<int:dataset_id>/runs/<int:run_id>/",
        DatasetRun.as_view(),
        name="api_dataset_run",
    ),
    path(
        "datasets/<int:dataset_id>/runs/<int:run_id>/cancel/",
        DatasetRunCommand.as_view(command="cancel"),
        name="api_dataset_run_cancel",
    ),
    path(
        "datasets/<int:dataset_id>/runs/<int:run_id>/retry/",
        DatasetRunCommand.as_view(command="retry"),
        name="api_dataset_run_retry",
    ),
]
