"""The public halves of the signing keys, so that other services can check our access tokens by themselves."""

from flask import Blueprint, Response, jsonify

from app.web.current import parts
from app.web.operations import public

blueprint = Blueprint("jwks", __name__)


@blueprint.get("/.well-known/jwks.json")
@public("getJwks")
def get_jwks() -> Response:
    """A JSON Web Key Set (RFC 7517); verifiers should ask again when they meet an unknown ``kid``."""
    response = jsonify(parts().signing_keys.jwks)
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
