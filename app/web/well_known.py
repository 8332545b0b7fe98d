"""What other programs look for under /.well-known (RFC 8615)."""

from datetime import timedelta

from flask import Blueprint, Response, jsonify, redirect
from werkzeug.wrappers import Response as BaseResponse

from app.config import Settings
from app.core.clock import Clock
from app.core.errors import not_found
from app.web.pages import page_settings

_LINK_PATHS = (
    "/verify-email",
    "/reset-password",
    "/confirm-email-change",
    "/cancel-email-change",
    "/restore-account",
    "/accept-invitation",
)
_ANDROID_RELATIONS = [
    "delegate_permission/common.handle_all_urls",
    "delegate_permission/common.get_login_creds",
]
_DEVELOPMENT_CONTACT = "mailto:security@example.com"
_SECURITY_TXT_DAYS = 180  # RFC 9116, 2.5.5: less than a year ahead

blueprint = Blueprint("well_known", __name__, url_prefix="/.well-known")


@blueprint.get("/security.txt")
def get_security_txt() -> Response:
    """Whom to tell of a hole (RFC 9116). Without SECURITY_CONTACT: an example in development, 404 in production."""
    settings = page_settings()
    contact = settings.security_contact or ("" if settings.production else _DEVELOPMENT_CONTACT)
    if not contact:
        raise not_found()
    expires = (Clock().now() + timedelta(days=_SECURITY_TXT_DAYS)).replace(hour=0, minute=0, second=0)
    lines = [f"Contact: {_contact_uri(one.strip())}" for one in contact.split(",")]
    lines += [
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.base_url}/.well-known/security.txt",
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/change-password")
def get_change_password() -> BaseResponse:
    """Where password managers send people (W3C, A Well-Known URL for Changing Passwords)."""
    settings = page_settings()
    return redirect(settings.change_password_url or f"{settings.base_url}/forgot-password", code=302)


@blueprint.get("/apple-app-site-association")
def get_apple_app_site_association() -> Response:
    """The iOS apps that may open our links and use our saved passwords (APPLE_APP_IDS)."""
    apps = list(page_settings().apple_app_ids)
    if not apps:
        raise not_found()
    components = [{"/": path} for path in _LINK_PATHS]
    return jsonify(
        {
            "applinks": {"details": [{"appIDs": apps, "components": components}]},
            "webcredentials": {"apps": apps},
        }
    )


@blueprint.get("/assetlinks.json")
def get_assetlinks() -> Response:
    """The Android apps that may do the same (Digital Asset Links, ANDROID_APPS)."""
    apps = android_apps(page_settings())
    if not apps:
        raise not_found()
    return jsonify(
        [
            {
                "relation": _ANDROID_RELATIONS,
                "target": {
                    "namespace": "android_app",
                    "package_name": package,
                    "sha256_cert_fingerprints": fingerprints,
                },
            }
            for package, fingerprints in apps.items()
        ]
    )


def android_apps(settings: Settings) -> dict[str, list[str]]:
    """Certificate fingerprints by package; an app with two certificates stands in ANDROID_APPS twice."""
    apps: dict[str, list[str]] = {}
    for entry in settings.android_apps:
        package, _, fingerprint = entry.partition("|")
        apps.setdefault(package.strip(), []).append(fingerprint.strip().upper().removeprefix("SHA256:"))
    return apps


def _contact_uri(contact: str) -> str:
    return contact if contact.startswith(("https://", "mailto:", "tel:")) else f"mailto:{contact}"
