"""What passkeys are bound to: a domain (the relying party's id) and the origins of the apps that use them.

Source: Web Authentication Level 3, sections 5.1.3 (rp.id), 13.4.9 (validating the origin); for Android the origin is
``android:apk-key-hash:`` and the SHA-256 of the signing certificate in base64url.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.config_sources import http_origin

if TYPE_CHECKING:
    from app.config import Settings

LOCAL = "localhost"
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_ANDROID = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")


def rp_id_of(base_url: str) -> str:
    """The host of our address; an IP address is no domain, and a browser on a laptop says localhost instead."""
    host = _host(base_url)
    return LOCAL if not host or _is_address(host) else host


def origin_of(url: str) -> str:
    """Scheme, host and port, as browsers write an origin."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def belongs(origin: str, rp_id: str) -> bool:
    """Whether pages of a web origin may use passkeys of the domain: it is theirs or a parent of it."""
    host = _host(origin)
    return host == rp_id or host.endswith(f".{rp_id}")


def is_android(origin: str) -> bool:
    return bool(_ANDROID.fullmatch(origin))


def passkey_faults(settings: "Settings") -> Iterator[str]:
    """Faults in any environment."""
    rp_id = settings.webauthn_rp_id
    if rp_id and (not _DOMAIN.fullmatch(rp_id) or _is_address(rp_id)):
        yield "WEBAUTHN_RP_ID: must be a domain such as example.com, in lower case, without scheme, port or path"
    for position, origin in enumerate(settings.webauthn_origins, start=1):
        if not is_android(origin) and not _is_web(origin):
            yield (
                f"WEBAUTHN_ORIGINS: entry {position} must be scheme://host[:port] or android:apk-key-hash: and the"
                " certificate's SHA-256 in base64url"
            )


def production_passkey_faults(settings: "Settings") -> Iterator[str]:
    """Faults in production: passkeys that no browser would make, or that plain http could steal."""
    if any(passkey_faults(settings)):
        return  # told already
    rp_id = settings.passkey_rp_id
    if settings.webauthn_rp_id and "." not in rp_id:
        yield "WEBAUTHN_RP_ID: must be a whole domain in production, not one label"
    web = [origin for origin in settings.passkey_origins if _is_web(origin)]
    if any(origin.startswith("http://") for origin in settings.webauthn_origins):
        yield "WEBAUTHN_ORIGINS: must be https:// in production"
    if any(not belongs(origin, rp_id) for origin in settings.webauthn_origins if _is_web(origin)):
        yield "WEBAUTHN_ORIGINS: each web origin must lie in the domain of WEBAUTHN_RP_ID"
    elif settings.webauthn_rp_id and not any(belongs(origin, rp_id) for origin in web):
        yield "WEBAUTHN_RP_ID: must be the host of PUBLIC_URL or of a web origin, or a parent domain of one"


def _is_web(origin: str) -> bool:
    try:
        return origin != "*" and bool(http_origin(origin))
    except ValueError:
        return False


def _host(url: str) -> str:
    """Nothing where there is none; what is wrong with an address is told elsewhere."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
