"""Access tokens: signed with Ed25519, checked claim by claim (SEC-22, traps T11 to T15).

flask-jwt-extended signs and verifies; on its own it would take any token made with the key, so everything a token must
be is checked here again. Times are checked against our clock alone: the library's own check is off.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError, get_unverified_header

from app.config import Settings
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.ids import new_id
from app.core.keys import SigningKeys, unb64
from app.core.recent import Recent

TYPE = "at+jwt"
ALGORITHM = "EdDSA"
LEEWAY = 30
LONGEST = 2_000
HEADER_MEMBERS = {"alg", "kid", "typ"}
ASKED_FOR = ("sub", "sid", "gen", "iat", "exp")
REMEMBERED = 2_000
Claims = dict[str, Any]


class JwtAccessTokens:
    """Implements ``app.core.access.AccessTokens``, and verifies what it issued.

    Args:
        app: flask-jwt-extended is set up on it.
        keys: the signing ring.
    """

    def __init__(self, app: Flask, settings: Settings, keys: SigningKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._seconds = settings.access_token_seconds
        self._issuer, self._audience = settings.issuer, settings.jwt_audience
        self._verified: Recent[bytes, Claims] = Recent(REMEMBERED)
        self._app = app
        app.config.update(
            JWT_ALGORITHM=ALGORITHM, JWT_DECODE_ALGORITHMS=[ALGORITHM], JWT_TOKEN_LOCATION=["headers"],
            JWT_ENCODE_ISSUER=self._issuer, JWT_DECODE_ISSUER=self._issuer, JWT_ENCODE_NBF=False,
            JWT_ENCODE_AUDIENCE=self._audience, JWT_DECODE_AUDIENCE=self._audience,
            JWT_DECODE_LEEWAY=FAR_FUTURE, JWT_PRIVATE_KEY=keys.signer,
        )  # fmt: skip
        manager = JWTManager(app)
        manager.encode_key_loader(lambda _identity: keys.signer)
        manager.decode_key_loader(lambda header, _claims: keys.verifier(header.get("kid")))

    def issue(self, *, user_id: UUID, session_id: UUID, generation: int, role: str) -> tuple[str, int]:
        """A token for one generation of one session, and the seconds it lives."""
        now = int(self._clock.timestamp())
        claims = {
            "sid": str(session_id), "gen": generation, "role": role, "jti": str(new_id()),
            "iat": now, "exp": now + self._seconds,
        }  # fmt: skip
        with self._app.app_context():
            token = create_access_token(
                str(user_id),
                additional_claims=claims,
                additional_headers={"kid": self._keys.current_id, "typ": TYPE},
            )
        return token, self._seconds

    def verify(self, token: str) -> Claims:
        """The claims ``ASKED_FOR`` of a token that is right in every respect; its session is looked at elsewhere.

        Raises:
            AppError: ``token_expired``, or ``token_invalid`` for all else.
        """
        digest = blake2b(token.encode(), digest_size=32).digest()
        claims = self._verified.get(digest)
        if claims is None:
            decoded = self._decode(token)
            claims = {name: decoded[name] for name in ASKED_FOR}
            self._verified.put(digest, claims)
        self._check_times(claims)
        return claims

    def _decode(self, token: str) -> Claims:
        """Signature, header and shape: what does not change while a token lives, so it is done once a process."""
        if len(token) > LONGEST or not token.isascii():
            raise _invalid()
        try:
            _, sent, _ = (unb64(part) for part in token.split("."))
            header = get_unverified_header(token)
            if set(header) != HEADER_MEMBERS or header["typ"] != TYPE or header["alg"] != ALGORITHM:
                raise _invalid()
            if self._keys.verifier(header["kid"]) is None:
                raise _invalid()
            claims: Claims = decode_token(token, allow_expired=True)
            if "type" not in orjson.loads(sent):  # the library puts one in where none was sent (T11)
                raise _invalid()
        except (PyJWTError, JWTExtendedException, ValueError, TypeError, KeyError, RecursionError):
            raise _invalid() from None
        if claims.get("aud") != self._audience or not _well_formed(claims):
            raise _invalid()
        return claims

    def _check_times(self, claims: Claims) -> None:
        now = self._clock.timestamp()
        if claims["exp"] - claims["iat"] > self._seconds or claims["iat"] > now + LEEWAY:
            raise _invalid()
        if claims["exp"] <= now:
            raise AppError(Code.token_expired, "The access token has expired. Refresh it and try again.")


FAR_FUTURE = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())
"""Leeway for the library's own look at ``iat``: ours is the one that counts, with the test clock."""


def _well_formed(claims: Claims) -> bool:
    texts = all(isinstance(claims.get(name), str) for name in ("sub", "jti", "sid", "role"))
    times = all(type(claims.get(name)) is int for name in ("iat", "exp", "gen"))
    if not (texts and times and claims.get("type") == "access" and "nbf" not in claims):
        return False
    try:
        UUID(claims["sub"]), UUID(claims["sid"])
    except ValueError:
        return False
    return True


def _invalid() -> AppError:
    return AppError(Code.token_invalid, "The access token is not valid.")
