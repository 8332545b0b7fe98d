"""A change of address on the wire."""

from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from app.core.errors import FieldCode
from app.registration.schemas import ABOUT_AN_HOUR, MailedCode
from app.web.faults import Fault
from app.web.fields import Choice, EmailAddress, Secret
from app.web.schemas import Input, Output

CONFIRMING = "hfe1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"
OBJECTING = "hfx1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"


class EmailChangeRequest(Input):
    email = EmailAddress(required=True, metadata={"examples": ["alice@reef.example"]})


class EmailChangeRequested(Output):
    """The same whether or not the address has an account."""

    status = Choice(["confirmation_required"], required=True)
    email = fields.String(
        required=True, metadata={"format": "email", "maxLength": 254, "examples": ["alice@reef.example"]}
    )
    resend_after = fields.Integer(required=True, metadata=ABOUT_AN_HOUR)


class EmailChangeConfirmation(Input):
    """Either `token` from the mail's link, or, signed in, `code`."""

    WAYS: ClassVar = {"ConfirmEmailChangeByLink": ("token",), "ConfirmEmailChangeByCode": ("code",)}

    token = Secret(longest=500, metadata={"examples": [CONFIRMING]})
    code = MailedCode()

    @validates_schema
    def one_way(self, data: dict[str, Any], **_options: Any) -> None:
        """One of them."""
        if len(data) > 1:
            raise ValidationError({"code": [Fault(FieldCode.unknown_field, "Send the token alone.")]})
        if not data:
            detail = "Send the token or the code."
            raise ValidationError({name: [Fault(FieldCode.required, detail)] for name in ("code", "token")})


class EmailChangeCancellation(Input):
    token = Secret(required=True, longest=500, metadata={"examples": [OBJECTING]})
