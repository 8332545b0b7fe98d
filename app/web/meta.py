"""What a client asks before anything else: versions, features, limits."""

from typing import Any

from flask import current_app
from marshmallow import fields

from app.core.access import Caller
from app.version import VERSION
from app.web.blueprint import Blueprint
from app.web.current import settings
from app.web.schemas import Output

VERSION_TEXT = {"maxLength": 40, "examples": ["1.0.0"]}
BYTES = {"minimum": 0, "maximum": 9_007_199_254_740_991, "format": "int64", "examples": [0]}
_NO_FEATURES = {"meta", "auth", "account", "passkey_sign_in"}  # tags of what no installation is without
blp = Blueprint("meta", __name__, url_prefix="/api/v1/meta", description="What this server is.")


class ClientVersions(Output):
    ios = fields.String(required=True, metadata=VERSION_TEXT)
    android = fields.String(required=True, metadata=VERSION_TEXT)
    web = fields.String(required=True, metadata=VERSION_TEXT)


class Limits(Output):
    password_min_length = fields.Integer(
        required=True, metadata={"minimum": 8, "maximum": 64, "format": "int32", "examples": [12]}
    )
    upload_max_bytes = fields.Integer(required=True, metadata=BYTES)
    content_types = fields.List(
        fields.String(metadata={"maxLength": 100}),
        required=True,
        metadata={"maxItems": 100, "examples": [["image/png"]]},
    )


class Meta(Output):
    """This server; clients older than `min_client_version` should ask people to update."""

    version = fields.String(required=True, metadata=VERSION_TEXT)
    min_client_version = fields.Nested(ClientVersions, required=True)
    features = fields.List(
        fields.String(metadata={"maxLength": 40}),
        required=True,
        metadata={
            "maxItems": 100,
            "examples": [["projects"]],
            "description": "What this server has, by the tags of this document.",
        },
    )
    limits = fields.Nested(Limits, required=True)
    docs_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "uri", "maxLength": 300, "examples": ["https://api.example.com/docs"]},
    )


@blp.operation("GET", "", "getMeta", caller=Caller.anyone)
@blp.response(200, Meta)
def get_meta() -> dict[str, Any]:
    """Versions, features and limits of this server."""
    own = settings()
    return {
        "version": VERSION,
        "min_client_version": {
            "ios": own.min_client_version_ios,
            "android": own.min_client_version_android,
            "web": own.min_client_version_web,
        },
        "features": [
            blueprint.name
            for blueprint in current_app.blueprints.values()
            if isinstance(blueprint, Blueprint) and blueprint.name not in _NO_FEATURES
        ],
        "limits": {
            "password_min_length": own.password_min_length,
            "upload_max_bytes": own.upload_max_bytes,
            "content_types": list(own.upload_types),
        },
        "docs_url": f"{own.base_url}/docs" if own.docs_enabled else None,
    }
