"""API of a job's labeling description."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from jobs.description.rendering import render_description
from jobs.description.services import LONGEST_TEXT, describe_job


class InstructionsSerializer(serializers.Serializer):
    text = serializers.CharField(
        allow_blank=True, max_length=LONGEST_TEXT, help_text="Markdown.", trim_whitespace=False
    )
    html = serializers.CharField(read_only=True)
    changed_at = serializers.DateTimeField(read_only=True, allow_null=True)


def _body(member: Member) -> dict:
    job = member.job
    html = render_description(job.instructions, job_id=job.pk).html
    body = {"text": job.instructions, "html": html, "changed_at": job.instructions_changed_at}
    return InstructionsSerializer(body).data


class Instructions(APIView):
    """The labeling description: what the owner tells those who label."""

    @extend_schema(responses=InstructionsSerializer)
    def get(self, request: Request, job_id: int) -> Response:
        return Response(_body(member_or_404(request.user, job_id)))

    @extend_schema(request=InstructionsSerializer, responses=InstructionsSerializer)
    def put(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.EDIT_JOB)
        data = InstructionsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        describe_job(member, data.validated_data["text"])
        return Response(_body(member))


urlpatterns = [
    path("jobs/<int:job_id>/instructions/", Instructions.as_view(), name="api_instructions"),
]
