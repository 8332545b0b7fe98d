"""The two ceremonies of Web Authentication Level 3: making a passkey (section 7.1), and proving with one (section 7.2).

py_webauthn verifies; here is what it leaves to its caller: strict origins, no foreign frames, the owner's handle, the
backup flags, and a counter that is judged only once the signature was right.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_authenticator_data,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.config import Settings
from app.core.telemetry import log
from app.passkeys.models import Passkey
from app.users.models import User

logger = log(__name__)
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
LONGEST_ID = 1023
"""Bytes of a credential id (section 4, "credential ID")."""
TIMEOUT = 300_000
"""Milliseconds that people have: as long as the challenge lives."""
LOCAL_ORIGIN = re.compile(r"https?://localhost(:[0-9]{1,5})?")
"""Pages of this machine; a browser makes passkeys for no IP address."""


class CeremonyError(Exception):
    """What came does not prove anything.

    Attributes:
        reason: a word for the trail; clients are never told.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class NewCredential:
    """What an authenticator made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: UUID
    transports: list[str]
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True)
class Assertion:
    """What an authenticator proved.

    Attributes:
        sign_count: its counter now.
        backed_up: whether the key is copied elsewhere.
    """

    sign_count: int
    backed_up: bool


class Ceremonies:
    """Args: settings: relying party and origins; in development every origin of this machine counts."""

    def __init__(self, settings: Settings) -> None:
        self._rp_id = settings.passkey_rp_id
        self._rp_name = settings.product_name
        self._origins = settings.passkey_origins
        self._development = settings.development

    def creation_options(self, user: User, challenge: bytes, known: Iterable[Passkey]) -> dict[str, Any]:
        """What ``navigator.credentials.create()`` needs, as ``parseCreationOptionsFromJSON`` reads it."""
        options = generate_registration_options(
            rp_id=self._rp_id, rp_name=self._rp_name, user_id=handle_of(user.id), user_name=user.email,
            user_display_name=user.display_name, challenge=challenge, timeout=TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known), supported_pub_key_algs=ALGORITHMS,
        )  # fmt: skip
        return _with_transports(options_to_json_dict(options), "excludeCredentials")

    def request_options(self, challenge: bytes, allowed: Iterable[Passkey] = ()) -> dict[str, Any]:
        """What ``navigator.credentials.get()`` needs; without ``allowed`` the authenticator offers what it has."""
        options = generate_authentication_options(
            rp_id=self._rp_id, challenge=challenge, timeout=TIMEOUT, allow_credentials=_descriptors(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )  # fmt: skip
        return _with_transports(options_to_json_dict(options), "allowCredentials")

    def registered(self, credential: Mapping[str, Any], challenge: bytes) -> NewCredential:
        """Verify what ``create()`` gave.

        Raises:
            CeremonyError: for whatever is wrong with it.
        """
        try:
            return self._registered(dict(credential), challenge)
        except CeremonyError:
            raise
        except Exception as error:
            raise _refusal(error) from error

    def asserted(
        self, credential: Mapping[str, Any], challenge: bytes, passkey: Passkey, *, known: bool
    ) -> Assertion:
        """Verify what ``get()`` gave, against the public key of the passkey that it names.

        Args:
            known: whether it was asked of one account; else the authenticator must name the account itself.

        Raises:
            CeremonyError: for whatever is wrong with it; ``cloned`` for a right signature with a counter that did not
                grow, so that two authenticators hold the key (section 6.1.1).
        """
        try:
            return self._asserted(dict(credential), challenge, passkey, known=known)
        except CeremonyError:
            raise
        except Exception as error:
            raise _refusal(error) from error

    def _registered(self, credential: dict[str, Any], challenge: bytes) -> NewCredential:
        parsed = parse_registration_credential_json(credential)
        verified = verify_registration_response(
            credential=parsed, expected_challenge=challenge, expected_rp_id=self._rp_id,
            expected_origin=self._origins_for(parsed.response.client_data_json), require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )  # fmt: skip
        if verified.credential_id != parsed.raw_id or len(verified.credential_id) > LONGEST_ID:
            raise CeremonyError("credential_id")
        # A key that is none would be noticed at its first use only.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
        flags = parse_attestation_object(parsed.response.attestation_object).auth_data.flags
        transports = [AuthenticatorTransport(each).value for each in parsed.response.transports or ()]
        return NewCredential(
            verified.credential_id, verified.credential_public_key, verified.sign_count, UUID(verified.aaguid),
            list(dict.fromkeys(transports)), flags.be, flags.bs,
        )  # fmt: skip

    def _asserted(
        self, credential: dict[str, Any], challenge: bytes, passkey: Passkey, *, known: bool
    ) -> Assertion:
        parsed = parse_authentication_credential_json(credential)
        if parsed.raw_id != passkey.credential_id:
            raise CeremonyError("credential_id")
        handles = {handle_of(passkey.user_id), *([None] if known else [])}
        if parsed.response.user_handle not in handles:
            raise CeremonyError("user_handle")  # section 7.2, step 6
        verified = verify_authentication_response(
            credential=parsed, expected_challenge=challenge, expected_rp_id=self._rp_id,
            expected_origin=self._origins_for(parsed.response.client_data_json),
            credential_public_key=passkey.public_key, credential_current_sign_count=0,
            require_user_verification=True,
        )  # fmt: skip
        flags = parse_authenticator_data(parsed.response.authenticator_data).flags
        if flags.be != passkey.backup_eligible:
            raise CeremonyError("backup_eligible")
        counted = verified.new_sign_count
        if (counted or passkey.sign_count) and counted <= passkey.sign_count:
            raise CeremonyError("cloned")
        return Assertion(counted, flags.bs)

    def _origins_for(self, client_data_json: bytes) -> list[str]:
        """The origins that this answer may come from; pages in frames of strangers may not."""
        data = parse_client_data_json(client_data_json)
        if data.cross_origin:
            raise CeremonyError("cross_origin")
        local = self._development and isinstance(data.origin, str) and LOCAL_ORIGIN.fullmatch(data.origin)
        return [*self._origins, *([data.origin] if local else [])]


def handle_of(user_id: UUID) -> bytes:
    """How authenticators tell one account from another: our id, which says nothing about the person (section 14.6.1)."""
    return user_id.bytes


def _descriptors(passkeys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=each.credential_id,
            transports=[AuthenticatorTransport(transport) for transport in each.transports] or None,
        )
        for each in passkeys
    ]


def _with_transports(options: dict[str, Any], known: str) -> dict[str, Any]:
    """Every documented member is there; browsers read an empty list of transports as none said, and refuse null."""
    for descriptor in options[known]:
        descriptor.setdefault("transports", [])
    return options


def _refusal(error: Exception) -> CeremonyError:
    """The library's own refusals, and what it trips over in data that nobody honest sends."""
    logger.info("passkey_refused", error=type(error).__name__, told=str(error)[:200])
    return CeremonyError("not_valid")
