"""Registering on the wire."""

import re
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from app.core.errors import FieldCode
from app.sessions.models import Transport
from app.web.faults import Fault, refuse
from app.web.fields import NEW_PASSWORD, Choice, EmailAddress, Password, Secret, Text
from app.web.schemas import Input, Output

DEVICE = {
    "examples": ["Alice's phone"],
    "description": "What the app calls the device; shown in the list of sessions.",
}
ABOUT_AN_HOUR = {
    "minimum": 0, "maximum": 3600, "format": "int32", "description": "Seconds.", "examples": [60],
}  # fmt: skip


class Register(Input):
    email = EmailAddress(required=True, metadata={"examples": ["dana@example.com"]})
    password = Password(
        required=True,
        metadata={NEW_PASSWORD: True, "maxLength": 128, "examples": ["a sentence only Dana knows"]},
    )
    display_name = Text(required=True, shortest=1, longest=100, metadata={"examples": ["Dana"]})
    device_name = Text(
        longest=100, allow_none=True, load_default=None,
        metadata={**DEVICE, "description": "What the app calls the device; the mail says where it was asked for."},
    )  # fmt: skip


class VerificationRequired(Output):
    """The same for known and unknown addresses."""

    status = Choice(["verification_required"], required=True)
    email = fields.String(
        required=True, metadata={"format": "email", "maxLength": 254, "examples": ["dana@example.com"]}
    )
    resend_after = fields.Integer(required=True, metadata=ABOUT_AN_HOUR)


class MailedCode(Secret):
    """The six digits of a mail."""

    PATTERN = re.compile("[0-9]{6}")

    def __init__(self, **options: Any) -> None:
        metadata = {"minLength": 6, "pattern": f"^{self.PATTERN.pattern}$", "examples": ["123456"]}
        super().__init__(longest=6, metadata=metadata, **options)

    def accept(self, text: str) -> str:
        if not self.PATTERN.fullmatch(text):
            raise refuse(FieldCode.invalid_format, "Six digits, as they stand in the mail.")
        return text


class LinkOrCode(Input):
    """What a mail is answered by: `token` of its link alone, or `email` and `code`."""

    token = Secret(longest=500, metadata={"examples": ["hfv1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"]})
    email = EmailAddress(metadata={"examples": ["dana@example.com"]})
    code = MailedCode()

    @validates_schema
    def one_way(self, data: dict[str, Any], **_options: Any) -> None:
        """A link or a code, whole, and not both."""
        missing = {"email", "code"} - data.keys()
        if "token" in data and len(missing) < 2:
            faults = {
                name: [Fault(FieldCode.unknown_field, "Send the token alone.")]
                for name in {"email", "code"} - missing
            }
            raise ValidationError(faults)
        if "token" not in data and missing:
            detail = "Send the token, or e-mail address and code."
            raise ValidationError({name: [Fault(FieldCode.required, detail)] for name in sorted(missing)})


class VerifyEmail(LinkOrCode):
    """Either `token` from the mail's link, or `email` and `code`."""

    WAYS: ClassVar = {"VerifyEmailByLink": ("token",), "VerifyEmailByCode": ("email", "code")}

    token_transport = Choice(list(Transport), load_default=Transport.body.value)
    device_name = Text(longest=100, allow_none=True, load_default=None, metadata=DEVICE)


class ResendVerification(Input):
    email = EmailAddress(required=True, metadata={"examples": ["dana@example.com"]})


class Resent(Output):
    resend_after = fields.Integer(required=True, metadata=ABOUT_AN_HOUR)
