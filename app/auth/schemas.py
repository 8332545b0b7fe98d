"""Signing in on the wire."""

from typing import Any, ClassVar

from marshmallow import fields

from app.core.errors import FieldCode
from app.core.password_policy import MAX_BYTES
from app.passkeys.schemas import ChallengeToken, PasskeyCredential
from app.registration.schemas import DEVICE
from app.second_factor.schemas import CODE, METHODS, RECOVERY_EXAMPLE, Code
from app.sessions.models import Transport
from app.sessions.schemas import DEVICE_EXAMPLE, REFRESH_EXAMPLE, SignedIn
from app.web.faults import refuse
from app.web.fields import Choice, EmailAddress, Part, Password, Secret, Text
from app.web.schemas import Input, OneOf, Output

MAX_REFRESH_TOKEN = 300
MFA_EXAMPLE = "hfm1.k1.AZelsHweemCcLz87ihwKBA.c2lnbmF0dXJl"


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
    device_token = Secret(
        longest=500, allow_none=True, load_default=None,
        metadata={
            "examples": [DEVICE_EXAMPLE],
            "description": "That of the last sign-in on this device: others' wrong passwords do not slow it down then.",
        },
    )  # fmt: skip


class MfaRequired(Output):
    """The password was right; prove the second factor next, by `completeMfa` or with a passkey."""

    status = Choice(["mfa_required"], required=True)
    mfa_token = fields.String(required=True, metadata={"maxLength": 200, "examples": [MFA_EXAMPLE]})
    methods = fields.List(Choice(METHODS), required=True, metadata={"maxItems": 10})
    expires_in = fields.Integer(
        required=True,
        metadata={
            "minimum": 0,
            "maximum": 900,
            "format": "int32",
            "description": "Seconds.",
            "examples": [300],
        },
    )


class SignInAnswer(OneOf):
    """A session, or what is missing for one: look at `status`."""

    BY: ClassVar = "status"
    VARIANTS: ClassVar = {"signed_in": SignedIn, "mfa_required": MfaRequired}


class CompleteMfa(Input):
    mfa_token = Secret(required=True, longest=500, metadata={"examples": [MFA_EXAMPLE]})
    method = Choice(["totp", "recovery_code"], required=True)
    code = Code(required=True)
    token_transport = Choice(list(Transport), load_default=Transport.body.value)
    device_name = Text(longest=100, allow_none=True, load_default=None, metadata=DEVICE)


class StepUpByPassword(Input):
    """Only where the account has no second factor."""

    method = Choice(["password"], required=True)
    password = TypedPassword(required=True, metadata={"examples": ["kelp-grips-the-rock"]})


class StepUpByTotp(Input):
    """By a code of the authenticator app."""

    method = Choice(["totp"], required=True)
    code = Code(required=True)


class StepUpByRecoveryCode(Input):
    """By a recovery code, which is used up."""

    method = Choice(["recovery_code"], required=True)
    code = Code(required=True, metadata={**CODE, "examples": [RECOVERY_EXAMPLE]})


class StepUpByPasskey(Input):
    """By a passkey; `challenge_token` is that of `startPasskeySignIn`."""

    method = Choice(["passkey"], required=True)
    challenge_token = ChallengeToken(required=True)
    credential = Part(PasskeyCredential, required=True)


class StepUp(OneOf):
    """How to prove who one is: look at `methods` of `step_up_required`."""

    BY: ClassVar = "method"
    VARIANTS: ClassVar = {
        "password": StepUpByPassword,
        "totp": StepUpByTotp,
        "recovery_code": StepUpByRecoveryCode,
        "passkey": StepUpByPasskey,
    }


class StartPasskeySignIn(Input):
    """Empty for signing in with a passkey alone, and for step-up."""

    mfa_token = Secret(longest=500, allow_none=True, load_default=None, metadata={"examples": [MFA_EXAMPLE]})


class FinishPasskeySignIn(Input):
    challenge_token = ChallengeToken(required=True)
    credential = Part(PasskeyCredential, required=True)
    token_transport = Choice(list(Transport), load_default=Transport.body.value)
    device_name = Text(longest=100, allow_none=True, load_default=None, metadata=DEVICE)
    device_token = Secret(
        longest=500, allow_none=True, load_default=None,
        metadata={
            "examples": [DEVICE_EXAMPLE],
            "description": "That of the last sign-in on this device: it saves the mail about a new one.",
        },
    )  # fmt: skip


class Refresh(Input):
    """Empty where the refresh token comes as a cookie."""

    refresh_token = Secret(
        longest=MAX_REFRESH_TOKEN,
        allow_none=True,
        load_default=None,
        metadata={"examples": [REFRESH_EXAMPLE]},
    )
