"""Signing in on the wire."""

from typing import Any

from app.core.errors import FieldCode
from app.core.password_policy import MAX_BYTES
from app.registration.schemas import DEVICE
from app.sessions.models import Transport
from app.sessions.schemas import REFRESH_EXAMPLE
from app.web.fields import Choice, EmailAddress, Password, Secret, Text, refuse
from app.web.schemas import Input

MAX_REFRESH_TOKEN = 300


class TypedPassword(Password):
    """A password to check: one longer than any account's is refused before it costs a hash (SEC-01)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise refuse(FieldCode.too_long, f"At most {MAX_BYTES} bytes in UTF-8.", max_bytes=MAX_BYTES)
        return text


class SignIn(Input):
    email = EmailAddress(required=True, metadata={"examples": ["alice@example.com"]})
    password = TypedPassword(required=True, metadata={"examples": ["kelp-grips-the-rock"]})
    token_transport = Choice(list(Transport), load_default=Transport.body.value)
    device_name = Text(longest=100, allow_none=True, load_default=None, metadata=DEVICE)
    device_token = Secret(longest=500, allow_none=True, load_default=None, metadata={"examples": [None]})


class Refresh(Input):
    """Empty where the refresh token comes as a cookie."""

    refresh_token = Secret(
        longest=MAX_REFRESH_TOKEN,
        allow_none=True,
        load_default=None,
        metadata={"examples": [REFRESH_EXAMPLE]},
    )
