"""Signing in on the wire."""

from app.registration.schemas import DEVICE
from app.sessions.models import Transport
from app.web.fields import Choice, EmailAddress, Password, Secret, Text
from app.web.schemas import Input

MAX_REFRESH_TOKEN = 300


class SignIn(Input):
    email = EmailAddress(required=True, metadata={"examples": ["alice@example.com"]})
    password = Password(required=True, metadata={"format": "password", "maxLength": 1024})
    token_transport = Choice(list(Transport), load_default=Transport.body.value)
    device_name = Text(longest=100, allow_none=True, load_default=None, metadata=DEVICE)
    device_token = Secret(longest=500, allow_none=True, load_default=None)


class Refresh(Input):
    """Empty where the refresh token comes as a cookie."""

    refresh_token = Secret(longest=MAX_REFRESH_TOKEN, allow_none=True, load_default=None)
