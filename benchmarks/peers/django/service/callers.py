"""Who asks, by token, and how often they may."""

import os
from typing import Any

import jwt
import redis
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.throttling import BaseThrottle

LIMIT, WINDOW_MS = int(os.environ["RATE_LIMIT"]), 60_000
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
count = cache.register_script(
    "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n"
)


class Caller:
    is_authenticated = True

    def __init__(self, pk: str) -> None:
        self.pk = pk


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[Caller, Any] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme != "Bearer":
            return None
        try:
            claims = jwt.decode(
                token, settings.SECRET_KEY, algorithms=["HS256"],
                options={"require": ["sub", "exp", "iat", "jti", "sid"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            raise AuthenticationFailed from None
        request._request.caller = claims["sub"]  # noqa: SLF001 - the log sees Django's request alone
        return Caller(claims["sub"]), claims

    def authenticate_header(self, _request: Any) -> str:
        return "Bearer"


class Window(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        who = request.user.pk if request.user else self.get_ident(request)
        route = getattr(view, "action", None) or view.__class__.__name__
        return bool(count(keys=[f"limit:{route}:{who}"], args=[WINDOW_MS]) <= LIMIT)
