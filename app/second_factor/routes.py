"""My second factor: an authenticator app and recovery codes."""

from dataclasses import dataclass
from typing import Any

from app.core.access import Caller
from app.core.errors import Code
from app.second_factor.schemas import ConfirmTotp, MfaEnabled, MfaState, RecoveryCodes, StartedTotp
from app.second_factor.service import SecondFactorService
from app.sessions.grants import Grants, SignedIn
from app.web.blueprint import Blueprint
from app.web.cookies import SET_COOKIE, deliver_within
from app.web.current import current_actor, current_client, service

blp = Blueprint(
    "second_factor", __name__, url_prefix="/api/v1/me/mfa", description="Proving more than a password."
)


@dataclass(frozen=True)
class Enabled:
    recovery_codes: list[str]
    session: SignedIn


@blp.operation("GET", "", "getMfa", caller=Caller.account, without_factor=True, api_tokens=False)
@blp.response(200, MfaState)
def get_mfa() -> Any:
    """Read what I have besides my password."""
    return service(SecondFactorService).state(current_actor().user_id)


@blp.operation(
    "POST", "/totp", "startTotp", caller=Caller.stepped_up, without_factor=True,
    codes=(Code.mfa_already_enabled,),
)  # fmt: skip
@blp.response(201, StartedTotp)
def start_totp() -> Any:
    """Begin with an authenticator app. It counts once `confirmTotp` got a code of it; until then begin anew at will."""
    return service(SecondFactorService).start(current_actor())


@blp.operation(
    "POST", "/totp/confirm", "confirmTotp", caller=Caller.stepped_up, body=True, without_factor=True,
    codes=(Code.invalid_code, Code.mfa_already_enabled, Code.not_found),
)  # fmt: skip
@blp.arguments(ConfirmTotp)
@blp.response(200, MfaEnabled, headers=SET_COOKIE)
def confirm_totp(data: dict[str, Any]) -> Any:
    """Turn the authenticator app on with a first code. My other sessions end; this one gets new tokens."""
    codes, session = service(SecondFactorService).confirm(current_actor(), data["code"], current_client())
    return deliver_within(Enabled(codes, service(Grants).of(session)))


@blp.operation(
    "DELETE", "/totp", "disableTotp", caller=Caller.stepped_up, codes=(Code.mfa_enrolment_required,)
)  # fmt: skip
@blp.response(204)
def disable_totp() -> None:
    """Turn the authenticator app off. Recovery codes go with the last factor; administrators must keep one."""
    service(SecondFactorService).disable(current_actor(), current_client())


@blp.operation(
    "POST", "/recovery-codes", "regenerateRecoveryCodes", caller=Caller.stepped_up,
    codes=(Code.mfa_enrolment_required,),
)  # fmt: skip
@blp.response(200, RecoveryCodes)
def regenerate_recovery_codes() -> Any:
    """Get ten new recovery codes. All older ones are void."""
    return {"recovery_codes": service(SecondFactorService).regenerate(current_actor(), current_client())}
