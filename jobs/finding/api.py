"""API of saved views."""

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators.access import member_or_404
from annotators.models import Member
from jobs.finding import saved
from jobs.finding.pages import problems_of
from jobs.models import SavedView

# The rules of names and queries answer with what is wrong.
LONGEST = 10_000


class ViewSerializer(serializers.ModelSerializer):
    is_shared = serializers.SerializerMethodField(help_text="Everybody in the job sees it.")
    problem = serializers.SerializerMethodField(
        help_text="Why it does not find what it was made for; mostly empty."
    )

    class Meta:
        model = SavedView
        fields = ["id", "name", "query", "is_shared", "problem", "created_at"]

    def get_is_shared(self, view: SavedView) -> bool:
        return view.user_id is None

    def get_problem(self, view: SavedView) -> str:
        return self.context["problems"].get(view.pk, "")


class NewViewSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=LONGEST, allow_blank=True, trim_whitespace=False)
    query = serializers.CharField(
        max_length=LONGEST,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Filters and `sort` as in the address of the grid: state=labeled&label=3,-7.",
    )
    is_shared = serializers.BooleanField(default=False)


def _answer(member: Member, views: list[SavedView]) -> list[dict]:
    context = {"problems": problems_of(member, views)}
    return ViewSerializer(views, many=True, context=context).data


class Views(APIView):
    @extend_schema(operation_id="jobs_views_list", responses=ViewSerializer(many=True))
    def get(self, request: Request, job_id: int) -> Response:
        """The own views and those of everybody in the job."""
        member = member_or_404(request.user, job_id)
        return Response(_answer(member, list(saved.views_for(member))))

    @extend_schema(request=NewViewSerializer, responses={201: ViewSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        data = NewViewSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = saved.save_view(member, **data.validated_data)
        return Response(_answer(member, [made])[0], status=status.HTTP_201_CREATED)


class OneView(APIView):
    @extend_schema(responses=ViewSerializer)
    def get(self, request: Request, job_id: int, view_id: int) -> Response:
        member = member_or_404(request.user, job_id)
        found = saved.views_for(member).filter(pk=view_id).first()
        if found is None:
            raise Http404
        return Response(_answer(member, [found])[0])

    @extend_schema(request=NewViewSerializer(partial=True), responses=ViewSerializer)
    def patch(self, request: Request, job_id: int, view_id: int) -> Response:
        """What is left out stays. A shared view is changed by managers and the owner."""
        member = member_or_404(request.user, job_id)
        data = NewViewSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        view = saved.change_view(member, view_id, **data.validated_data)
        return Response(_answer(member, [view])[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: int, view_id: int) -> Response:
        saved.delete_view(member_or_404(request.user, job_id), view_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("jobs/<int:job_id>/views/", Views.as_view(), name="api_views"),
    path("jobs/<int:job_id>/views/<int:view_id>/", OneView.as_view(), name="api_view"),
]
