"""API of the label set: editing, ordering, merging and deleting labels."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.roles import Ability
from jobs.api import LabelSerializer
from labels.api import ResultSerializer, result_body
from labels.labelset import deletion, edits, merging, undoing
from labels.labelset.changes import LabelResult
from labels.labelset.deletion import Policy
from labels.models import COLOURS


class LabelEditSerializer(serializers.Serializer):
    """What is left out stays. The rules of names and keys answer with what is wrong."""

    name = serializers.CharField(
        max_length=4000, allow_blank=True, trim_whitespace=False, required=False
    )
    colour = serializers.IntegerField(min_value=1, max_value=COLOURS, required=False)
    key = serializers.CharField(max_length=10, allow_blank=True, required=False)
    description = serializers.CharField(max_length=4000, allow_blank=True, required=False)


class LabelResultSerializer(ResultSerializer):
    run = serializers.IntegerField(
        allow_null=True, help_text="The run that does the images, where they are many."
    )


class OrderSerializer(serializers.Serializer):
    """One of: all `ids` in their new order, `by`, or one `label` and its place `to`."""

    ids = serializers.ListField(
        child=serializers.IntegerField(), required=False, max_length=100_000
    )
    by = serializers.ChoiceField(choices=["name", "count"], required=False)
    label = serializers.IntegerField(required=False)
    to = serializers.IntegerField(min_value=0, required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        ways = [{"ids"}, {"by"}, {"label", "to"}]
        if set(given) not in ways:
            raise serializers.ValidationError(_("Give ids, or by, or label and to."))
        return given


class MergeSerializer(serializers.Serializer):
    into = serializers.IntegerField(help_text="The label that stays.")
    also = serializers.ListField(
        child=serializers.IntegerField(),
        default=list,
        max_length=1_000,
        help_text="More labels to merge into it.",
    )


class MergePreviewSerializer(serializers.Serializer):
    only_source = serializers.IntegerField(help_text="Images that get the label.")
    both = serializers.IntegerField(help_text="Images that carry it already.")
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class DeleteLabelsSerializer(serializers.Serializer):
    labels = serializers.ListField(
        child=serializers.IntegerField(), min_length=1, max_length=10_000
    )
    policy = serializers.ChoiceField(
        choices=[policy.value for policy in Policy],
        default=Policy.LABEL.value,
        help_text="What becomes of images that carry nothing else: `label` leaves them unlabeled, "
        "`images` puts them into the trash, `files` deletes their source files for good.",
    )


def _body(result: LabelResult) -> dict[str, Any]:
    if result.change is not None and not result.message:
        result = undoing.said(result, result.change.params)
    return result_body(result) | {"run": result.run.pk if result.run else None}


class OneLabel(APIView):
    @extend_schema(request=LabelEditSerializer, responses=LabelSerializer)
    def patch(self, request: Request, job_id: int, label_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        get_object_or_404(member.job.labels, pk=label_id)
        data = LabelEditSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        label, _result = edits.edit_label(member, label_id, **data.validated_data)
        return Response(LabelSerializer(label).data)

    @extend_schema(responses={200: LabelResultSerializer})
    def delete(self, request: Request, job_id: int, label_id: int) -> Response:
        """The label alone; images that carry nothing else become unlabeled."""
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        get_object_or_404(member.job.labels, pk=label_id)
        return Response(_body(deletion.delete_labels(member, [label_id], policy=Policy.LABEL)))


class Order(APIView):
    @extend_schema(request=OrderSerializer, responses=LabelSerializer(many=True))
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        data = OrderSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        match data.validated_data:
            case {"ids": ids}:
                edits.order_labels(member, ids)
            case {"by": by}:
                edits.sort_labels(member, by)
            case {"label": label, "to": to}:
                edits.move_label(member, label, to=to)
        return Response(LabelSerializer(member.job.labels.all(), many=True).data)


class Merge(APIView):
    @extend_schema(request=MergeSerializer, responses=LabelResultSerializer)
    def post(self, request: Request, job_id: int, label_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        get_object_or_404(member.job.labels, pk=label_id)
        data = MergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        sources = [label_id, *data.validated_data["also"]]
        return Response(_body(merging.merge_labels(member, sources, data.validated_data["into"])))


class MergePreview(APIView):
    """What the merge would do; writes nothing."""

    @extend_schema(request=MergeSerializer, responses=MergePreviewSerializer)
    def post(self, request: Request, job_id: int, label_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        get_object_or_404(member.job.labels, pk=label_id)
        data = MergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        sources = [label_id, *data.validated_data["also"]]
        found = merging.preview_merge(member, sources, data.validated_data["into"])
        return Response(MergePreviewSerializer(found).data)


class DeleteLabels(APIView):
    """Several labels as one change."""

    @extend_schema(request=DeleteLabelsSerializer, responses=LabelResultSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
        data = DeleteLabelsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        result = deletion.delete_labels(member, given["labels"], policy=Policy(given["policy"]))
        return Response(_body(result))


urlpatterns = [
    path("jobs/<int:job_id>/labels/order/", Order.as_view(), name="api_label_order"),
    path("jobs/<int:job_id>/labels/delete/", DeleteLabels.as_view(), name="api_labels_delete"),
    path("jobs/<int:job_id>/labels/<int:label_id>/", OneLabel.as_view(), name="api_label"),
    path("jobs/<int:job_id>/labels/<int:label_id>/merge/", Merge.as_view(), name="api_label_merge"),
    path(
        "jobs/<int:job_id>/labels/<int:label_id>/merge/preview/",
        MergePreview.as_view(),
        name="api_label_merge_preview",
    ),
]
