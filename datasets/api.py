"""API of storages: connect, test, new keys, look into folders."""

from typing import Any

from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import connection_tests, services
from datasets.access import require_connect, storage_or_404, storages_of
from datasets.models import AddressingChoice, Storage, StorageKind
from datasets.places import BucketPlace, FolderPlace, Place, refusal
from datasets.secrets import Secret
from datasets.storages import StorageError
from datasets.storages.checkup import Checkup, Step
from datasets.storages.s3_connection import Keys

STATES = ["passed", "failed", "untried"]


class StepSerializer(serializers.Serializer):
    step = serializers.ChoiceField(choices=[step.value for step in Step])
    state = serializers.ChoiceField(choices=STATES)
    message = serializers.CharField(help_text="What is wrong and what to do; else empty.")


class CheckupSerializer(serializers.Serializer):
    is_usable = serializers.BooleanField()
    can_write = serializers.BooleanField(allow_null=True)
    can_delete = serializers.BooleanField(allow_null=True)
    steps = StepSerializer(many=True)


class StorageSerializer(serializers.ModelSerializer):
    owner = serializers.IntegerField(source="owner_id", allow_null=True)
    has_keys = serializers.SerializerMethodField(
        help_text="Keys are stored; else those of the server are used."
    )
    steps = serializers.SerializerMethodField()

    class Meta:
        model = Storage
        fields = [
            "id",
            "name",
            "kind",
            "owner",
            "root",
            "endpoint",
            "region",
            "bucket",
            "prefix",
            "addressing",
            "presigns",
            "has_keys",
            "key_hint",
            "checked_at",
            "can_write",
            "can_delete",
            "steps",
            "created_at",
        ]

    def get_has_keys(self, storage: Storage) -> bool:
        return bool(storage.credentials)

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, storage: Storage) -> list[dict[str, Any]]:
        return StepSerializer(connection_tests.rows(storage.check_results), many=True).data


class KeysSerializer(serializers.Serializer):
    """Keys of a bucket; without any those of the server are used, by administrators alone."""

    access_key = serializers.CharField(
        max_length=200, allow_blank=True, default="", write_only=True
    )
    secret_key = serializers.CharField(
        max_length=500, allow_blank=True, default="", write_only=True
    )
    session_token = serializers.CharField(
        max_length=5000, allow_blank=True, default="", write_only=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("access_key")) != bool(attrs.get("secret_key")):
            raise ValidationError(_("An access key and a secret key go together."))
        return attrs

    @property
    def keys(self) -> Keys | None:
        given = self.validated_data
        if not given.get("access_key"):
            return None
        token = given.get("session_token")
        return Keys(
            access_key=given["access_key"],
            secret_key=Secret(given["secret_key"]),
            session_token=Secret(token) if token else None,
        )


class PlaceSerializer(KeysSerializer):
    kind = serializers.ChoiceField(choices=StorageKind.choices)
    root = serializers.CharField(
        max_length=1024, allow_blank=True, default="", help_text="Of the kind local: the folder."
    )
    endpoint = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="Empty: Amazon's."
    )
    region = serializers.CharField(max_length=63, allow_blank=True, default="")
    bucket = serializers.CharField(max_length=63, allow_blank=True, default="")
    prefix = serializers.CharField(max_length=1024, allow_blank=True, default="")
    addressing = serializers.ChoiceField(
        choices=AddressingChoice.choices, default=AddressingChoice.AUTO.value
    )
    presigns = serializers.BooleanField(
        default=True, help_text="Browsers can reach it, and get the addresses of originals."
    )

    @property
    def place(self) -> Place:
        given = self.validated_data
        if given["kind"] == StorageKind.LOCAL:
            return FolderPlace(root=given["root"])
        names = ("bucket", "endpoint", "region", "prefix", "addressing", "presigns")
        return BucketPlace(**{name: given[name] for name in names})


class NewStorageSerializer(PlaceSerializer):
    name = serializers.CharField(max_length=200)


class ChangedStorageSerializer(NewStorageSerializer):
    """What is left out stays, the keys too."""

    kind = None

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = super().to_internal_value(data)
        names = ("kind", "name", "root", "endpoint", "region", "bucket", "prefix", "addressing")
        kept = {name: getattr(self.instance, name) for name in (*names, "presigns")}
        return kept | given


class LevelSerializer(serializers.Serializer):
    prefix = serializers.CharField()
    folders = serializers.ListField(child=serializers.CharField())
    images = serializers.IntegerField(help_text="Files right here that are called like images.")
    is_cut = serializers.BooleanField(help_text="There is more than is listed.")


def _checkup(checkup: Checkup) -> dict[str, Any]:
    steps = connection_tests.rows(connection_tests.as_json(checkup))
    return CheckupSerializer(
        {
            "is_usable": checkup.is_usable,
            "can_write": checkup.allows(Step.WRITE),
            "can_delete": checkup.allows(Step.DELETE),
            "steps": steps,
        }
    ).data


@method_decorator(sensitive_variables(), "post")
class Storages(APIView):
    @extend_schema(responses=StorageSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = storages_of(request.user).order_by("pk")
        return Response(StorageSerializer(rows, many=True).data)

    @extend_schema(request=NewStorageSerializer, responses={201: StorageSerializer})
    def post(self, request: Request) -> Response:
        require_connect(request.user)
        data = NewStorageSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = services.connect_storage(
            name=data.validated_data["name"], place=data.place, keys=data.keys, by=request.user
        )
        return Response(StorageSerializer(made).data, status=status.HTTP_201_CREATED)


@method_decorator(sensitive_variables(), "patch")
class OneStorage(APIView):
    @extend_schema(responses=StorageSerializer)
    def get(self, request: Request, storage_id: int) -> Response:
        return Response(StorageSerializer(storage_or_404(request.user, storage_id)).data)

    @extend_schema(request=ChangedStorageSerializer(partial=True), responses=StorageSerializer)
    def patch(self, request: Request, storage_id: int) -> Response:
        found = storage_or_404(request.user, storage_id)
        data = ChangedStorageSerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = services.change_storage(
            found,
            name=data.validated_data["name"],
            place=data.place,
            keys=data.keys,
            by=request.user,
        )
        return Response(StorageSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, storage_id: int) -> Response:
        services.delete_storage(storage_or_404(request.user, storage_id), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class StorageCheck(APIView):
    """Tests the connection and remembers what the storage allows."""

    @extend_schema(request=None, responses=CheckupSerializer)
    def post(self, request: Request, storage_id: int) -> Response:
        found = storage_or_404(request.user, storage_id)
        return Response(_checkup(services.check_storage_now(found, by=request.user)))


@method_decorator(sensitive_variables(), "post")
class PlaceCheck(APIView):
    """Tests a connection without storing anything."""

    @extend_schema(
        operation_id="storages_try_out", request=PlaceSerializer, responses=CheckupSerializer
    )
    def post(self, request: Request) -> Response:
        require_connect(request.user)
        data = PlaceSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(_checkup(services.try_out(data.place, data.keys, by=request.user)))


@method_decorator(sensitive_variables(), "post")
class StorageKeys(APIView):
    """Replaces the keys of a bucket; everything else stays."""

    @extend_schema(request=KeysSerializer, responses=StorageSerializer)
    def post(self, request: Request, storage_id: int) -> Response:
        found = storage_or_404(request.user, storage_id)
        data = KeysSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(
            StorageSerializer(services.rotate_keys(found, data.keys, by=request.user)).data
        )


class StorageFolders(APIView):
    @extend_schema(
        operation_id="storages_folders",
        parameters=[OpenApiParameter("prefix", str)],
        responses=LevelSerializer,
    )
    def get(self, request: Request, storage_id: int) -> Response:
        found = storage_or_404(request.user, storage_id)
        prefix = request.query_params.get("prefix", "")
        try:
            level = services.look_below(found, prefix)
        except StorageError as error:
            raise refusal(error)
        body = {"prefix": prefix, "folders": level.folders, "images": level.images}
        return Response(LevelSerializer(body | {"is_cut": level.is_cut}).data)


urlpatterns = [
    path("storages/", Storages.as_view(), name="api_storages"),
    path("storages/check/", PlaceCheck.as_view(), name="api_place_check"),
    path("storages/<int:storage_id>/", OneStorage.as_view(), name="api_storage"),
    path("storages/<int:storage_id>/check/", StorageCheck.as_view(), name="api_storage_check"),
    path("storages/<int:storage_id>/keys/", StorageKeys.as_view(), name="api_storage_keys"),
    path(
        "storages/<int:storage_id>/folders/", StorageFolders.as_view(), name="api_storage_folders"
    ),
]
