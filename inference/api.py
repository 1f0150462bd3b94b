"""API of suggestions: ask the model, accept or reject what it said."""

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from inference import decisions, services
from jobs import selection
from jobs.api import LabelSerializer
from labels.api import ResultSerializer, SelectionSerializer, answered
from labels.repeats import once


class PredictSerializer(serializers.Serializer):
    ids = serializers.ListField(
        child=serializers.IntegerField(), min_length=1, max_length=services.MOST_AT_ONCE
    )


class SuggestionSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="The model's own name of the label.")
    score = serializers.FloatField()
    label_name = serializers.CharField(help_text="The name it has, or would get, in the job.")
    label = serializers.IntegerField(allow_null=True, help_text="Null: the job lacks the label.")


class PredictedSerializer(serializers.Serializer):
    model = serializers.CharField()
    numeric_mode = serializers.CharField()
    predictions = serializers.DictField(child=SuggestionSerializer(many=True))
    problems = serializers.DictField(child=serializers.CharField())


class RejectSerializer(SelectionSerializer):
    """One suggestion (`sample` and `name`), or a selection: the best one of each image."""

    sample = serializers.IntegerField(required=False)
    name = serializers.CharField(
        max_length=1024, required=False, help_text="The model's own name of the label."
    )

    def validate(self, data: dict) -> dict:
        if ("sample" in data) != ("name" in data):
            raise ValidationError(_("A suggestion has a sample and a name."))
        return data


class AcceptSerializer(RejectSerializer):
    min_score = serializers.FloatField(
        default=0.0, min_value=0, max_value=1, help_text="Of a selection."
    )


class AcceptedSerializer(ResultSerializer):
    label = LabelSerializer(allow_null=True, help_text="Of a single suggestion.")


class Predict(APIView):
    @extend_schema(request=PredictSerializer, responses=PredictedSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.PREDICT)
        data = PredictSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        found = services.predict(member, data.validated_data["ids"])
        predictions = {
            sample: [asdict(one) for one in labels] for sample, labels in found.suggestions.items()
        }
        return Response(
            {
                "model": found.model,
                "numeric_mode": found.numeric_mode,
                "predictions": predictions,
                "problems": found.problems,
            }
        )


class Accept(APIView):
    @extend_schema(
        request=AcceptSerializer, responses={200: AcceptedSerializer, 202: AcceptedSerializer}
    )
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        data = _checked(AcceptSerializer, request)
        if "sample" not in data:
            chosen = selection.parse(request.data)
            result = decisions.accept_best(member, chosen, min_score=data["min_score"])
            return answered(result, label=None)
        pk = _sample_of(member, data)
        result, label = services.accept(member, pk, data["name"])
        return answered(result, label=LabelSerializer(label).data)


class Reject(APIView):
    @extend_schema(
        request=RejectSerializer, responses={200: ResultSerializer, 202: ResultSerializer}
    )
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        data = _checked(RejectSerializer, request)
        if "sample" not in data:
            return answered(decisions.reject_best(member, selection.parse(request.data)))
        return answered(decisions.reject(member, _sample_of(member, data), data["name"]))


def _checked(serializer: type[RejectSerializer], request: Request) -> dict:
    data = serializer(data=request.data)
    data.is_valid(raise_exception=True)
    return data.validated_data


def _sample_of(member: Member, data: dict) -> int:
    return get_object_or_404(member.job.samples, pk=data["sample"]).pk


urlpatterns = [
    path("jobs/<int:job_id>/predict/", Predict.as_view(), name="api_predict"),
    path("jobs/<int:job_id>/accept/", Accept.as_view(), name="api_accept"),
    path("jobs/<int:job_id>/reject/", Reject.as_view(), name="api_reject"),
]
