"""API tokens: listed, made, revoked; by people, never by a token."""

from typing import Any
from uuid import UUID

from app.api_tokens.schemas import ApiTokenCreate, ApiTokenPage, NewApiToken
from app.api_tokens.service import ApiTokenService
from app.core.access import Caller
from app.core.errors import Code
from app.core.pagination import Page
from app.web.blueprint import Blueprint
from app.web.current import current_actor, current_client, service
from app.web.schemas import PageQuery

blp = Blueprint(
    "api_tokens",
    __name__,
    url_prefix="/api/v1/me/tokens",
    description="Keys for scripts that act in my name.",
)


@blp.operation(
    "GET", "", "listApiTokens", caller=Caller.account, query=True, api_tokens=False, codes=(Code.invalid_cursor,)
)  # fmt: skip
@blp.arguments(PageQuery, location="query")
@blp.response(200, ApiTokenPage)
def list_api_tokens(query: dict[str, Any]) -> Page[Any]:
    """List my API tokens, the newest first. Revoked ones are not shown, expired ones for a month."""
    return service(ApiTokenService).list_own(current_actor(), query["page"])


@blp.operation("POST", "", "createApiToken", caller=Caller.stepped_up, body=True)
@blp.arguments(ApiTokenCreate, example={"name": "Nightly report", "scopes": ["read"], "expires_at": None})
@blp.response(201, NewApiToken)
def create_api_token(data: dict[str, Any]) -> Any:
    """Make an API token. The answer shows it, and nothing ever shows it again."""
    return service(ApiTokenService).create(
        current_actor(), data["name"], data["scopes"], data["expires_at"], current_client()
    )


@blp.operation(
    "DELETE", "/<uuid:key_id>", "revokeApiToken", caller=Caller.account, api_tokens=False,
    codes=(Code.not_found,),
)  # fmt: skip
@blp.response(204)
def revoke_api_token(key_id: UUID) -> None:
    """Revoke one of my API tokens; it stops working within a second."""
    service(ApiTokenService).revoke(current_actor(), key_id, current_client())
