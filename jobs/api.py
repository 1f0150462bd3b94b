"""API of jobs: the jobs themselves, their samples, uploads and runs."""

import re
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.models import Member, User
from annotators.roles import ABILITIES, ROLE_CHOICES, Ability, Role
from datasets import problems, unfinished, uploads
from datasets.access import dataset_or_404, storage_or_404
from datasets.names import is_junk_key
from datasets.sources import DatasetSource, FolderSource, Source, StorageSource, UploadSource
from datasets.there_already import there_already
from jobs import counters, exports, pages, services
from jobs.filters import FILTERS, read_filter
from jobs.models import Job, Mode, Sample
from jobs.plans import Plan
from jobs.sorting import ADDED, SORTS, Cursor, Sort, decode
from labels.models import Annotation, Label
from labels.services import create_job_with_labels
from runs.models import Problem, Run

MOST_PER_PAGE = 200
MOST_FILES_ASKED = 1_000
FILTER_PARAMETERS = [OpenApiParameter(name, str) for name in FILTERS]
PART_PARAMETERS = [
    OpenApiParameter("path", str, required=True),
    OpenApiParameter("size", int, required=True),
    OpenApiParameter("modified", int, required=True),
]


class LabelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = ["id", "name", "colour", "position", "key", "description"]
        read_only_fields = ["colour", "position", "key", "description"]


class JobSerializer(serializers.ModelSerializer):
    class Meta:
        model = Job
        fields = ["id", "name", "mode", "created_at"]


class JobDetailSerializer(JobSerializer):
    role = serializers.ChoiceField(choices=ROLE_CHOICES)
    abilities = serializers.ListField(child=serializers.CharField())
    counts = serializers.DictField(child=serializers.IntegerField())
    labels = LabelSerializer(many=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "role", "abilities", "counts", "labels"]


class NewJobSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=200)
    mode = serializers.ChoiceField(choices=Mode.choices)
    folder = serializers.CharField(
        max_length=1024,
        allow_null=True,
        default=None,
        help_text="A folder of the server. Without it, a storage and a dataset, images will be "
        "uploaded.",
    )
    storage = serializers.IntegerField(allow_null=True, default=None)
    prefix = serializers.CharField(
        max_length=1024, allow_blank=True, default="", help_text="A folder in the storage."
    )
    dataset = serializers.IntegerField(
        allow_null=True, default=None, help_text="One whose images are shared with its other jobs."
    )
    # The rule for names stands in labels/names.py.
    labels = serializers.ListField(
        child=serializers.CharField(max_length=4000, allow_blank=True, trim_whitespace=False),
        default=list,
    )

    def validate(self, attrs: dict) -> dict:
        if sum(attrs[name] is not None for name in ("folder", "storage", "dataset")) > 1:
            raise ValidationError(_("Name one of folder, storage and dataset."))
        return attrs

    def chosen_source(self, user: User) -> Source:
        """Where the images come from; what the user may not see is not found."""
        given = self.validated_data
        if given["folder"] is not None:
            return FolderSource(given["folder"])
        if given["storage"] is not None:
            return StorageSource(storage_or_404(user, given["storage"]), given["prefix"])
        if given["dataset"] is not None:
            return DatasetSource(dataset_or_404(user, given["dataset"]))
        return UploadSource()


class AnnotationSerializer(serializers.ModelSerializer):
    label = serializers.IntegerField(source="label_id")
    user = serializers.IntegerField(source="user_id", allow_null=True)

    class Meta:
        model = Annotation
        fields = ["label", "user", "origin", "confidence", "created_at"]


class PredictionSerializer(serializers.Serializer):
    model = serializers.CharField()
    numeric_mode = serializers.CharField()
    labels = serializers.ListField(help_text="[the model's label name, score 0 to 1], best first")


class SampleSerializer(serializers.ModelSerializer):
    width = serializers.IntegerField(source="image.width")
    height = serializers.IntegerField(source="image.height")
    labels = AnnotationSerializer(source="annotations", many=True)
    predictions = PredictionSerializer(many=True)

    class Meta:
        model = Sample
        fields = ["id", "path", "state", "width", "height", "version", "labels", "predictions"]


class SamplePageSerializer(serializers.Serializer):
    results = SampleSerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="Give it as `cursor` for the next page; null on the last."
    )


class RunSerializer(serializers.ModelSerializer):
    class Meta:
        model = Run
        fields = [
            "id",
            "kind",
            "state",
            "total",
            "done",
            "counts",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        ]


class ProblemSerializer(serializers.ModelSerializer):
    message = serializers.SerializerMethodField()

    class Meta:
        model = Problem
        fields = ["id", "item", "code", "message"]

    def get_message(self, problem: Problem) -> str:
        return problems.describe(problem.code, problem.params)


class ProblemPageSerializer(serializers.Serializer):
    results = ProblemSerializer(many=True)
    next = serializers.IntegerField(allow_null=True)


class ExportSerializer(serializers.Serializer):
    format = serializers.ChoiceField(choices=list(exports.FORMATS))
    ratios = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=100),
        min_length=3,
        max_length=3,
        default=[80, 10, 10],
        help_text="Percent for train, val and test; together 100.",
    )
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    with_images = serializers.BooleanField(default=True)
    query = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        max_length=2000,
        help_text="Filters as a query string, like those of samples: only what they find is "
        "written. Images without labels never are.",
    )

    def validate_ratios(self, ratios: list[int]) -> list[int]:
        if sum(ratios) != 100:
            raise ValidationError(_("The three shares add up to 100."))
        return ratios


class UploadedSerializer(serializers.Serializer):
    path = serializers.CharField()
    offset = serializers.IntegerField(help_text="So many bytes are there: send on from here.")
    outcome = serializers.ChoiceField(
        choices=[one.value for one in uploads.Stored],
        allow_null=True,
        help_text="Null until the file is there whole.",
    )


class OffsetSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    offset = serializers.IntegerField()


class FileSerializer(serializers.Serializer):
    path = serializers.CharField(max_length=4096, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0)


class FilesSerializer(serializers.Serializer):
    files = FileSerializer(many=True, max_length=MOST_FILES_ASKED)


class KnownSerializer(serializers.Serializer):
    known = serializers.ListField(
        child=serializers.CharField(), help_text="There already, with that size."
    )
    junk = serializers.ListField(
        child=serializers.CharField(), help_text="Left behind by systems; not kept when sent."
    )


class RawParser(BaseParser):
    """Hands the body on as the stream it is: an upload is never held whole in memory."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):  # noqa: ARG002
        return stream


def _number(request: Request, name: str, default: int | None = None) -> int | None:
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit()):
        raise ValidationError({name: [_("A whole number is needed.")]})
    return int(raw)


def _order(request: Request) -> tuple[Sort, Cursor | None]:
    name, raw = request.query_params.get("sort", ADDED.name), request.query_params.get("cursor")
    sort = SORTS.get(name)
    if sort is None:
        raise ValidationError({"sort": [_("One of %(names)s.") % {"names": ", ".join(SORTS)}]})
    cursor = decode(raw, sort) if raw else None
    if raw and cursor is None:
        raise ValidationError({"cursor": [_("This is no place in the list.")]})
    return sort, cursor


def _page(rows, after: int, limit: int) -> tuple[list, int | None]:
    """Keyset page: the rows behind `after`, and the `after` of the next page."""
    found = list(rows.filter(pk__gt=after)[: limit + 1])
    return found[:limit], (found[limit - 1].pk if len(found) > limit else None)


def _detail(member: Member) -> dict:
    job = member.job
    return JobDetailSerializer(
        {
            **{name: getattr(job, name) for name in JobSerializer.Meta.fields},
            "role": member.role,
            "abilities": sorted(ABILITIES[Role(member.role)]),
            "counts": counters.read(job),
            "labels": job.labels.all(),
        }
    ).data


class Jobs(APIView):
    @extend_schema(responses=JobSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = Job.objects.filter(members__user=request.user).order_by("-id")
        return Response(JobSerializer(rows, many=True).data)

    @extend_schema(request=NewJobSerializer, responses={201: JobDetailSerializer})
    def post(self, request: Request) -> Response:
        if not request.user.can_create_jobs:
            raise PermissionDenied(_("You may not create jobs. Ask the administrator."))
        data = NewJobSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        new = {name: data.validated_data[name] for name in ("name", "mode", "labels")}
        source = data.chosen_source(request.user)
        job = create_job_with_labels(**new, source=source, by=request.user)
        member = member_or_404(request.user, job.pk)
        return Response(_detail(member), status=status.HTTP_201_CREATED)


class OneJob(APIView):
    @extend_schema(responses=JobDetailSerializer)
    def get(self, request: Request, job_id: int) -> Response:
        return Response(_detail(member_or_404(request.user, job_id)))


class Samples(APIView):
    @extend_schema(
        operation_id="jobs_samples_list",
        parameters=[
            *FILTER_PARAMETERS,
            OpenApiParameter("sort", str, enum=list(SORTS)),
            OpenApiParameter("cursor", str, description="`next` of the page before."),
            OpenApiParameter("limit", int),
        ],
        responses=SamplePageSerializer,
    )
    def get(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        asked = read_filter(member.job, request.query_params)
        if not asked.form.is_valid():
            raise ValidationError(asked.form.errors)
        limit = min(max(_number(request, "limit", 100), 1), MOST_PER_PAGE)
        sort, cursor = _order(request)
        plan = Plan(member.job, asked.conditions())
        rows = pages.read_samples(plan, sort, cursor, limit + 1)
        more = pages.cursor_of(rows[limit - 1], sort).encode() if len(rows) > limit else None
        return Response(SamplePageSerializer({"results": rows[:limit], "next": more}).data)


class OneSample(APIView):
    @extend_schema(responses=SampleSerializer)
    def get(self, request: Request, job_id: int, sample_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        sample = get_object_or_404(member.job.samples.with_tile(), pk=sample_id)
        return Response(SampleSerializer(sample).data)


@dataclass(frozen=True, slots=True)
class Part:
    """What a request says about the file that it carries a part of."""

    size: int
    modified: int
    offset: int

    @classmethod
    def of(cls, request: Request, *, has_body: bool) -> "Part | None":
        """None: the request carries the whole file and is not to be continued."""
        size, offset = _content_range(request)
        size = _number(request, "size", size)
        offset = _number(request, "offset", offset)
        modified = _number(request, "modified")
        if has_body and size is offset is modified is None:
            return None
        if size is None or modified is None:
            name = "modified" if modified is None else "size"
            raise ValidationError({name: [_("A whole number is needed.")]})
        return cls(size, modified, offset or 0)

    @property
    def version(self) -> dict[str, int]:
        return {"size": self.size, "modified": self.modified}


def _content_range(request: Request) -> tuple[int | None, int | None]:
    """Size and offset of `Content-Range: bytes 0-99/500`, or of `bytes */500` when all was sent."""
    raw = request.headers.get("Content-Range")
    if raw is None:
        return None, None
    found = re.fullmatch(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15})", raw.strip())
    if found is None:
        raise ValidationError({"Content-Range": [_("Write it like “bytes 0-99/500”.")]})
    if found[1] is None:
        return int(found[3]), int(found[3])
    if int(found[2]) - int(found[1]) + 1 != _content_length(request):
        raise ValidationError({"Content-Range": [_("It does not fit the length of the body.")]})
    return int(found[3]), int(found[1])


def _content_length(request: Request) -> int:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise ValidationError({"Content-Length": [_("The size of the file is needed.")]})
    return int(length)


class Uploads(APIView):
    """Files on their way into the job. With `size` and `modified` an upload can be continued: the
    same file of the same person goes on where it stopped."""

    parser_classes = [RawParser]

    @extend_schema(parameters=PART_PARAMETERS, responses=UploadedSerializer)
    def get(self, request: Request, job_id: int) -> Response:
        """How much of the upload is there. HEAD tells it in the header Upload-Offset."""
        member, path = self._asked(request, job_id)
        part = Part.of(request, has_body=False)
        found = unfinished.progress(request.user, member.job.dataset, path, **part.version)
        return self._answer(path, found.offset, found.outcome)

    @extend_schema(
        parameters=[
            OpenApiParameter("path", str, required=True),
            OpenApiParameter("size", int, description="Of the whole file, for one in parts."),
            OpenApiParameter("modified", int, description="Milliseconds; tells versions apart."),
            OpenApiParameter(
                "offset", int, description="Where the part begins. Content-Range can say it too."
            ),
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: UploadedSerializer, 202: UploadedSerializer, 409: OffsetSerializer},
    )
    def put(self, request: Request, job_id: int) -> Response:
        """Takes a file, or a part of one: then 202 until it is there whole, and 409 with the right
        offset where another part is wanted. A part without bytes at the end tries once more to
        store what arrived."""
        member, path = self._asked(request, job_id)
        length, stream = _content_length(request), request._request
        part = Part.of(request, has_body=True)
        if part is None:
            outcome = uploads.receive(member.job.dataset, path, stream, size=length)
            return self._answer(path, length, outcome, done=status.HTTP_201_CREATED)
        found = unfinished.take(
            request.user,
            member.job.dataset,
            path,
            stream,
            **part.version,
            offset=part.offset,
            length=length,
        )
        done = status.HTTP_201_CREATED if found.outcome else status.HTTP_202_ACCEPTED
        return self._answer(path, found.offset, found.outcome, done=done)

    @extend_schema(parameters=PART_PARAMETERS, responses={204: None})
    def delete(self, request: Request, job_id: int) -> Response:
        """Removes what arrived of an upload that will not be continued."""
        member, path = self._asked(request, job_id)
        part = Part.of(request, has_body=False)
        unfinished.forget(request.user, member.job.dataset, path, **part.version)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @staticmethod
    def _asked(request: Request, job_id: int) -> tuple[Member, str]:
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        return member, request.query_params.get("path", "")

    @staticmethod
    def _answer(
        path: str, offset: int, outcome: uploads.Stored | None, *, done: int = status.HTTP_200_OK
    ) -> Response:
        body = {"path": path, "offset": offset, "outcome": outcome and outcome.value}
        return Response(body, status=done, headers={"Upload-Offset": str(offset)})


class KnownUploads(APIView):
    @extend_schema(request=FilesSerializer, responses=KnownSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        """Which of these files the dataset has already, by name and size."""
        member = member_or_404(request.user, job_id, Ability.ADD_DATA)
        data = FilesSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        files = [(one["path"], one["size"]) for one in data.validated_data["files"]]
        known = there_already(member.job.dataset, files)
        junk = [path for path, _size in files if is_junk_key(path)]
        return Response({"known": sorted(known), "junk": junk})


class Exports(APIView):
    @extend_schema(request=ExportSerializer, responses={201: RunSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.EXPORT)
        data = ExportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = dict(data.validated_data)
        run = services.start_export(member.job, by=request.user, options=options)
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class Runs(APIView):
    @extend_schema(responses=RunSerializer(many=True))
    def get(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        return Response(
            RunSerializer(member.job.shown_runs().order_by("-id")[:100], many=True).data
        )


class OneRun(APIView):
    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, job_id: int, run_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        return Response(RunSerializer(get_object_or_404(member.job.shown_runs(), pk=run_id)).data)


class RunCommand(APIView):
    """Cancels or retries, for those who may start such a run."""

    command: str = ""

    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, job_id: int, run_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        run = get_object_or_404(member.job.shown_runs(), pk=run_id)
        services.control_run(member, run, self.command)
        return Response(RunSerializer(run).data)


class RunProblems(APIView):
    @extend_schema(parameters=[OpenApiParameter("after", int)], responses=ProblemPageSerializer)
    def get(self, request: Request, job_id: int, run_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        run = get_object_or_404(member.job.shown_runs(), pk=run_id)
        rows, after = _page(run.problems.order_by("pk"), _number(request, "after", 0), 500)
        return Response(ProblemPageSerializer({"results": rows, "next": after}).data)


urlpatterns = [
    path("jobs/", Jobs.as_view(), name="api_jobs"),
    path("jobs/<int:job_id>/", OneJob.as_view(), name="api_job"),
    path("jobs/<int:job_id>/samples/", Samples.as_view(), name="api_samples"),
    path("jobs/<int:job_id>/samples/<int:sample_id>/", OneSample.as_view(), name="api_sample"),
    path("jobs/<int:job_id>/uploads/", Uploads.as_view(), name="api_uploads"),
    path("jobs/<int:job_id>/uploads/known/", KnownUploads.as_view(), name="api_uploads_known"),
    path("jobs/<int:job_id>/exports/", Exports.as_view(), name="api_exports"),
    path("jobs/<int:job_id>/runs/", Runs.as_view(), name="api_runs"),
    path("jobs/<int:job_id>/runs/<int:run_id>/", OneRun.as_view(), name="api_run"),
    path(
        "jobs/<int:job_id>/runs/<int:run_id>/cancel/",
        RunCommand.as_view(command="cancel"),
        name="api_run_cancel",
    ),
    path(
        "jobs/<int:job_id>/runs/<int:run_id>/retry/",
        RunCommand.as_view(command="retry"),
        name="api_run_retry",
    ),
    path(
        "jobs/<int:job_id>/runs/<int:run_id>/problems/",
        RunProblems.as_view(),
        name="api_run_problems",
    ),
]
