"""Passwords on the wire."""

from typing import ClassVar

from marshmallow import fields

from app.auth.schemas import TypedPassword
from app.registration.schemas import ABOUT_AN_HOUR, LinkOrCode
from app.web.fields import NEW_PASSWORD, EmailAddress, Password, Secret
from app.web.schemas import Input, Output

CHOSEN = {NEW_PASSWORD: True, "maxLength": 128, "examples": ["another sentence only Dana knows"]}


class PasswordChange(Input):
    current_password = TypedPassword(required=True, metadata={"examples": ["kelp-grips-the-rock"]})
    new_password = Password(required=True, metadata=CHOSEN)


class ForgotPassword(Input):
    email = EmailAddress(required=True, metadata={"examples": ["dana@example.com"]})


class ResetRequested(Output):
    """The same for known and unknown addresses."""

    resend_after = fields.Integer(required=True, metadata=ABOUT_AN_HOUR)


class ResetPassword(LinkOrCode):
    """Either `token` from the mail's link, or `email` and `code`; and the new password."""

    WAYS: ClassVar = {"ResetPasswordByLink": ("token",), "ResetPasswordByCode": ("email", "code")}

    token = Secret(longest=500, metadata={"examples": ["hfp1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"]})
    password = Password(required=True, metadata=CHOSEN)
