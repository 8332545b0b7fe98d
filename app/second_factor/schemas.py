"""Second factors on the wire."""

from typing import Any

from marshmallow import fields

from app.sessions.schemas import SignedIn
from app.web.fields import Choice, Secret, Timestamp
from app.web.schemas import Input, Output

METHODS = ["totp", "passkey", "recovery_code"]
CODE = {"description": "White space, hyphens and case do not count.", "examples": ["123456"]}
RECOVERY_EXAMPLE = "MFRG-GZDF-MZTW-Q2LK-NNWG-23TP"
RECOVERY_CODES = {
    "minItems": 10,
    "maxItems": 10,
    "description": "Shown this once; each proves the account once.",
}


class Code(Secret):
    """Six digits of an authenticator app, or a recovery code; a wrong shape is a wrong code, and is told as one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=100, **{"metadata": CODE, **options})


class MfaState(Output):
    """What the account has besides its password."""

    enabled = fields.Boolean(required=True)
    methods = fields.List(
        Choice(METHODS), required=True,
        metadata={"maxItems": 10, "description": "What proves the account now.", "examples": [["totp"]]},
    )  # fmt: skip
    totp_confirmed_at = Timestamp(required=True, allow_none=True)
    recovery_codes_left = fields.Integer(
        required=True, metadata={"minimum": 0, "maximum": 10, "format": "int32", "examples": [10]}
    )


class StartedTotp(Output):
    """What an authenticator app needs; shown this once, and counts once a code of it was confirmed."""

    secret = fields.String(
        required=True,
        metadata={
            "maxLength": 64,
            "description": "Base32, to be typed where no camera is.",
            "examples": ["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
        },
    )
    otpauth_uri = fields.String(
        required=True,
        metadata={
            "maxLength": 2_000,
            "description": "What the QR code says; on a phone, open it.",
            "examples": [
                "otpauth://totp/Holdfast:alice%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Holdfast"
            ],
        },
    )
    qr_svg = fields.String(
        required=True,
        metadata={
            "maxLength": 100_000,
            "description": "One `<svg>` element.",
            "examples": ['<svg xmlns="http://www.w3.org/2000/svg"/>'],
        },
    )


class ConfirmTotp(Input):
    code = Code(required=True)


class RecoveryCodes(Output):
    """Ten codes for the day when the phone is gone."""

    recovery_codes = fields.List(
        fields.String(metadata={"maxLength": 40, "examples": [RECOVERY_EXAMPLE]}),
        required=True,
        metadata=RECOVERY_CODES,
    )


class MfaEnabled(RecoveryCodes):
    """Recovery codes, and this session's new tokens: the older ones have ended, and so have all other sessions."""

    session = fields.Nested(SignedIn, required=True)
