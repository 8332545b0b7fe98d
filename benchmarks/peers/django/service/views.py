"""Serializers and views, as the framework's documents write them."""

import base64
import hashlib
import secrets
import time
import uuid
from datetime import datetime
from typing import Any

import bcrypt
import jwt
from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from rest_framework import serializers, viewsets
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from service.callers import cache
from service.models import Project, User

REFRESH_SECONDS = 14 * 86_400


class Conflict(APIException):
    status_code = 409


class WrongProof(APIException):
    """The framework's own error becomes 403 where nothing says how to authenticate."""

    status_code = 401


class Text(serializers.CharField):
    """Text that is text in JSON, as everybody's is; the framework's own field takes numbers too."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ProjectSerializer(serializers.ModelSerializer):
    name = Text(max_length=255)
    description = Text(max_length=10_000, allow_null=True, allow_blank=True, required=False)
    owner_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Project
        fields = ("id", "name", "description", "owner_id", "created_at", "updated_at", "version")
        read_only_fields = ("id", "created_at", "updated_at", "version")


class ChangeSerializer(serializers.Serializer):
    name = Text(max_length=255, required=False)
    description = Text(max_length=10_000, allow_null=True, allow_blank=True, required=False)
    version = serializers.IntegerField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"name", "description"}:
            raise ValidationError("nothing to change")
        return attrs


class ProofSerializer(serializers.Serializer):
    email = serializers.EmailField()
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class Projects(viewsets.GenericViewSet):
    serializer_class = ProjectSerializer

    def get_queryset(self) -> Any:
        return Project.objects.filter(owner_id=self.request.user.pk)

    def list(self, request: Any) -> Response:
        size = request.query_params.get("limit", "20")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            raise ValidationError({"limit": "must be 1 to 100"})
        wanted, number = self.get_queryset().order_by("-created_at", "-id"), int(size)
        if "cursor" in request.query_params:
            when, key = place(request.query_params["cursor"])
            wanted = wanted.filter(
                Q(created_at__lt=when) | Q(created_at=when, id__lt=key), created_at__lte=when
            )
        rows = list(wanted[: number + 1])
        last = rows[number - 1] if len(rows) > number else None
        following = f"{last.created_at.isoformat()}|{last.pk}".encode() if last else b""
        items = self.get_serializer(rows[:number], many=True).data
        return Response({"items": items, "next_cursor": base64.urlsafe_b64encode(following).decode() or None})

    def retrieve(self, _request: Any, pk: uuid.UUID) -> Response:  # noqa: ARG002 - get_object reads it of the view
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        serializer.save(owner_id=request.user.pk, created_at=now, updated_at=now)
        return Response(serializer.data, status=201)

    def partial_update(self, request: Any, pk: uuid.UUID) -> Response:
        serializer = ChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        version, mine = changes.pop("version", None), self.get_queryset().filter(pk=pk)
        wanted = mine if version is None else mine.filter(version=version)
        if not wanted.update(**changes, version=F("version") + 1, updated_at=Now()):
            raise Conflict if version is not None and mine.exists() else NotFound
        return Response(self.get_serializer(mine.get()).data)


class SignIn(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Any) -> Response:
        serializer = ProofSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        proof = serializer.validated_data
        user = User.objects.filter(email=proof["email"].lower()).first()
        password, hashed = proof["password"].encode()[:72], user.password_hash.encode() if user else b""
        if not (user and bcrypt.checkpw(password, hashed) and user.is_active):
            raise WrongProof
        began, refresh = int(time.time()), secrets.token_urlsafe(32)
        claims = {
            "sub": str(user.pk), "iat": began, "exp": began + 900, "jti": uuid.uuid4().hex, "sid": uuid.uuid4().hex,
        }  # fmt: skip
        cache.set(f"refresh:{hashlib.sha256(refresh.encode()).hexdigest()}", str(user.pk), ex=REFRESH_SECONDS)
        access = jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256")
        return Response({"access_token": access, "refresh_token": refresh})


def place(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        when, _, key = base64.urlsafe_b64decode(cursor).decode().partition("|")
        return datetime.fromisoformat(when), uuid.UUID(key)
    except ValueError:
        raise ValidationError({"cursor": "is none of ours"}) from None


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})
