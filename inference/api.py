"""API of suggestions: ask the model, accept what it said."""

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.roles import Ability
from inference import services
from jobs.api import LabelSerializer
from labels.api import ResultSerializer, result_body
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


class AcceptSerializer(serializers.Serializer):
    sample = serializers.IntegerField()
    name = serializers.CharField(max_length=1024)


class AcceptedSerializer(ResultSerializer):
    label = LabelSerializer()


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
    @extend_schema(request=AcceptSerializer, responses=AcceptedSerializer)
    @once
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.LABEL)
        data = AcceptSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        sample = get_object_or_404(member.job.samples, pk=data.validated_data["sample"])
        result, label = services.accept(member, sample.pk, data.validated_data["name"])
        return Response(result_body(result) | {"label": LabelSerializer(label).data})


urlpatterns = [
    path("jobs/<int:job_id>/predict/", Predict.as_view(), name="api_predict"),
    path("jobs/<int:job_id>/accept/", Accept.as_view(), name="api_accept"),
]
