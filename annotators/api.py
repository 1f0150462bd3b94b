"""API of people: members and invitations of a job."""

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotators import services
from annotators.access import member_or_404
from annotators.models import Invitation, Member
from annotators.roles import INVITABLE_CHOICES, Ability, Role


class MemberSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="user.__str__", read_only=True)
    email = serializers.EmailField(source="user.email", read_only=True)
    user = serializers.IntegerField(source="user_id", read_only=True)

    class Meta:
        model = Member
        fields = ["id", "user", "name", "email", "role", "joined_at"]
        read_only_fields = ["joined_at"]


class RoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=INVITABLE_CHOICES)


class InvitationSerializer(serializers.ModelSerializer):
    role = serializers.ChoiceField(choices=INVITABLE_CHOICES)
    email = serializers.EmailField(max_length=254)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "expires_at"]
        read_only_fields = ["created_at", "expires_at"]


class InvitedSerializer(InvitationSerializer):
    address = serializers.URLField(read_only=True, help_text="The link; shown this once.")
    mail_error = serializers.CharField(read_only=True, help_text="Empty when the mail was sent.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "address", "mail_error"]


class Members(APIView):
    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.SEE_MEMBERS)
        rows = member.job.members.select_related("user").order_by("joined_at")
        return Response(MemberSerializer(rows, many=True).data)


class OneMember(APIView):
    @extend_schema(request=RoleSerializer, responses=MemberSerializer)
    def patch(self, request: Request, job_id: int, member_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
        target = get_object_or_404(member.job.members.select_related("user"), pk=member_id)
        data = RoleSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        changed = services.set_role(target, role=Role(data.validated_data["role"]))
        return Response(MemberSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: int, member_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
        services.remove_member(get_object_or_404(member.job.members, pk=member_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Invitations(APIView):
    @extend_schema(responses=InvitationSerializer(many=True))
    def get(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
        rows = [row for row in member.job.invitations.order_by("-id") if row.is_open]
        return Response(InvitationSerializer(rows, many=True).data)

    @extend_schema(request=InvitationSerializer, responses={201: InvitedSerializer})
    def post(self, request: Request, job_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
        data = InvitationSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        email, role = data.validated_data["email"], Role(data.validated_data["role"])
        invited = services.invite(member, email=email, role=role)
        body = InvitationSerializer(invited.invitation).data
        body |= {"address": invited.address, "mail_error": invited.mail_error}
        return Response(body, status=status.HTTP_201_CREATED)


class OneInvitation(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: int, invitation_id: int) -> Response:
        member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
        services.revoke_invitation(get_object_or_404(member.job.invitations, pk=invitation_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("jobs/<int:job_id>/members/", Members.as_view(), name="api_members"),
    path("jobs/<int:job_id>/members/<int:member_id>/", OneMember.as_view(), name="api_member"),
    path("jobs/<int:job_id>/invitations/", Invitations.as_view(), name="api_invitations"),
    path(
        "jobs/<int:job_id>/invitations/<int:invitation_id>/",
        OneInvitation.as_view(),
        name="api_invitation",
    ),
]
