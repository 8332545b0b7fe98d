"""Passkeys on the wire.

Options and credentials are the JSON forms of Web Authentication Level 3, sections 5.1.8 to 5.1.10: what a browser's
``parseCreationOptionsFromJSON`` reads and ``PublicKeyCredential.toJSON()`` writes. Hence their camelCase.
"""

from typing import Any

from marshmallow import EXCLUDE, fields

from app.core.errors import FieldCode
from app.core.keys import b64, unb64
from app.passkeys.challenges import BYTES, PREFIX
from app.sessions.schemas import SignedIn
from app.web.faults import refuse
from app.web.fields import Choice, Id, Part, Secret, Text, Timestamp
from app.web.schemas import Input, Output, page_of

CHALLENGE_TOKEN = f"{PREFIX}.{b64(bytes(BYTES))}"
LONGEST_TOKEN = 60
LONGEST_NAME = 100
TRANSPORTS = ["usb", "nfc", "ble", "smart-card", "internal", "cable", "hybrid"]
ID = {"maxLength": 1364, "pattern": "^[A-Za-z0-9_-]+$", "examples": ["mVqGZ1Yw1pnd4jz0lVgCkQ"]}
MILLISECONDS = {
    "minimum": 0,
    "maximum": 600_000,
    "format": "int32",
    "description": "Milliseconds.",
    "examples": [300_000],
}
ALGORITHM = {
    "minimum": -65_535, "maximum": 65_535, "format": "int32", "description": "COSE, such as -7 for ES256.",
    "examples": [-7],
}  # fmt: skip
USER_VERIFICATION = ["required"]
TYPE = ["public-key"]


class Base64Url(Text):
    """Bytes in base64url without padding, as the JSON forms have them."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        metadata = {"pattern": "^[A-Za-z0-9_-]+$", **options.pop("metadata", {})}
        super().__init__(shortest=1, longest=longest, trim=False, metadata=metadata, **options)

    def accept(self, text: str) -> str:
        try:
            unb64(text)
        except ValueError:
            raise refuse(FieldCode.invalid_format, "Write base64url without padding.") from None
        return text


class Transports(fields.List[Any]):
    """How the authenticator is reached; words that are not known here are passed over."""

    def __init__(self, **options: Any) -> None:
        word = Text(longest=30, metadata={"examples": ["internal"]})
        super().__init__(word, load_default=list, metadata={"maxItems": 20}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > 20:
            raise refuse(FieldCode.too_long, "At most 20.", max=20)
        words = super()._deserialize(value, attr, data, **kwargs)
        return [word for word in dict.fromkeys(words) if word in TRANSPORTS]


class Tolerant(Input):
    """Browsers may add members to what they write; only those below are read."""

    class Meta:
        unknown = EXCLUDE


class AttestationResponse(Tolerant):
    """Of an authenticator that made a passkey."""

    clientDataJSON = Base64Url(
        required=True, longest=8_192, metadata={"examples": ["eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0"]}
    )
    attestationObject = Base64Url(required=True, longest=65_536, metadata={"examples": ["o2NmbXRkbm9uZQ"]})
    transports = Transports()


class AssertionResponse(Tolerant):
    """Of an authenticator that proved a passkey."""

    clientDataJSON = Base64Url(
        required=True, longest=8_192, metadata={"examples": ["eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0"]}
    )
    authenticatorData = Base64Url(
        required=True,
        longest=8_192,
        metadata={"examples": ["SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ"]},
    )
    signature = Base64Url(required=True, longest=2_048, metadata={"examples": ["MEUCIQ"]})
    userHandle = Base64Url(
        longest=88, allow_none=True, load_default=None, metadata={"examples": ["AZelsHweemCcLz87ihwKAQ"]}
    )


class NewPasskeyCredential(Tolerant):
    """What `navigator.credentials.create()` gave, by its `toJSON()`."""

    id = Base64Url(required=True, longest=1_364, metadata=ID)
    rawId = Base64Url(required=True, longest=1_364, metadata=ID)
    type = Choice(TYPE, required=True)
    response = Part(AttestationResponse, required=True)


class PasskeyCredential(Tolerant):
    """What `navigator.credentials.get()` gave, by its `toJSON()`."""

    id = Base64Url(required=True, longest=1_364, metadata=ID)
    rawId = Base64Url(required=True, longest=1_364, metadata=ID)
    type = Choice(TYPE, required=True)
    response = Part(AssertionResponse, required=True)


class ChallengeToken(Secret):
    """Names the challenge that was answered; good once, for five minutes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=LONGEST_TOKEN, metadata={"examples": [CHALLENGE_TOKEN]}, **options)


class PasskeyAdd(Input):
    challenge_token = ChallengeToken(required=True)
    credential = Part(NewPasskeyCredential, required=True)
    name = Text(
        shortest=1, longest=LONGEST_NAME, allow_none=True, load_default=None,
        metadata={
            "description": "What to call it; else it is named after the authenticator.", "examples": ["Alice's phone"],
        },
    )  # fmt: skip


class PasskeyUpdate(Input):
    name = Text(required=True, shortest=1, longest=LONGEST_NAME, metadata={"examples": ["Alice's phone"]})


class Passkey(Output):
    """A passkey of the account; its public key is not shown."""

    id = Id(required=True)
    name = fields.String(required=True, metadata={"maxLength": LONGEST_NAME, "examples": ["iCloud Keychain"]})
    credential_id = fields.Function(
        lambda row: b64(row.credential_id), required=True,
        metadata={"type": "string", **ID, "description": "As the authenticator calls it."},
    )  # fmt: skip
    aaguid = Id(
        required=True,
        metadata={
            "description": "The model of the authenticator; zeros where it does not say.",
            "examples": ["fbfc3007-154e-4ecc-8c0b-6e020557d7bd"],
        },
    )
    transports = fields.List(
        Choice(TRANSPORTS), required=True, metadata={"maxItems": 20, "examples": [["internal"]]}
    )
    backup_eligible = fields.Boolean(
        required=True, metadata={"description": "Whether it may be copied to other devices of its owner."}
    )
    backed_up = fields.Boolean(required=True, metadata={"description": "Whether it was when last seen."})
    created_at = Timestamp(required=True)
    last_used_at = Timestamp(required=True, allow_none=True)


PasskeyPage: Any = page_of(Passkey, total=False)


class PasskeyAdded(Output):
    """`session` has new tokens where this was the account's first second factor, else it is null."""

    passkey = fields.Nested(Passkey, required=True)
    session = fields.Nested(SignedIn, required=True, allow_none=True)


class PasskeyParty(Output):
    """The service that passkeys are made for."""

    id = fields.String(required=True, metadata={"maxLength": 253, "examples": ["example.com"]})
    name = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Holdfast"]})


class PasskeyOwner(Output):
    """The account, as authenticators keep it."""

    id = fields.String(required=True, metadata={"maxLength": 88, "examples": ["AZelsHweemCcLz87ihwKAQ"]})
    name = fields.String(required=True, metadata={"maxLength": 254, "examples": ["alice@example.com"]})
    displayName = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Alice"]})


class PasskeyParameter(Output):
    """An algorithm that a passkey may have."""

    type = Choice(TYPE, required=True)
    alg = fields.Integer(required=True, metadata=ALGORITHM)


class PasskeyDescriptor(Output):
    """A passkey that exists."""

    id = fields.String(required=True, metadata=ID)
    type = Choice(TYPE, required=True)
    transports = fields.List(Choice(TRANSPORTS), required=True, metadata={"maxItems": 20})


class PasskeySelection(Output):
    """What the authenticator must be able to do."""

    residentKey = Choice(["required"], required=True)
    requireResidentKey = fields.Boolean(required=True)
    userVerification = Choice(USER_VERIFICATION, required=True)


class PasskeyCreationOptions(Output):
    """For `PublicKeyCredential.parseCreationOptionsFromJSON()`."""

    rp = fields.Nested(PasskeyParty, required=True)
    user = fields.Nested(PasskeyOwner, required=True)
    challenge = fields.String(required=True, metadata=ID)
    pubKeyCredParams = fields.List(fields.Nested(PasskeyParameter), required=True, metadata={"maxItems": 10})
    timeout = fields.Integer(required=True, metadata=MILLISECONDS)
    excludeCredentials = fields.List(
        fields.Nested(PasskeyDescriptor), required=True, metadata={"maxItems": 10}
    )
    authenticatorSelection = fields.Nested(PasskeySelection, required=True)
    attestation = Choice(["none"], required=True)


class PasskeyRequestOptions(Output):
    """For `PublicKeyCredential.parseRequestOptionsFromJSON()`."""

    challenge = fields.String(required=True, metadata=ID)
    timeout = fields.Integer(required=True, metadata=MILLISECONDS)
    rpId = fields.String(required=True, metadata={"maxLength": 253, "examples": ["example.com"]})
    allowCredentials = fields.List(fields.Nested(PasskeyDescriptor), required=True, metadata={"maxItems": 10})
    userVerification = Choice(USER_VERIFICATION, required=True)


class PasskeyCreation(Output):
    """A question for an authenticator, good for five minutes and one answer."""

    options = fields.Nested(PasskeyCreationOptions, required=True)
    challenge_token = fields.String(
        required=True, metadata={"maxLength": LONGEST_TOKEN, "examples": [CHALLENGE_TOKEN]}
    )


class PasskeyRequest(Output):
    """A question for an authenticator, good for five minutes and one answer."""

    options = fields.Nested(PasskeyRequestOptions, required=True)
    challenge_token = fields.String(
        required=True, metadata={"maxLength": LONGEST_TOKEN, "examples": [CHALLENGE_TOKEN]}
    )
