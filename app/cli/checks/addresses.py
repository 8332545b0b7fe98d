"""Under which addresses the service is reached, from which web origins, and through how many proxies."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask

from app.cli.checks.finding import Finding, fault, ok, warn
from app.config import Settings

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - only compared with  # nosec B104


def look(app: Flask, settings: Settings, origin: str | None) -> Iterator[Finding]:
    """Args: origin: of a web app that somebody asks about; ``None`` when nobody does."""
    yield from _address("public url", "PUBLIC_URL", settings.base_url, settings)
    if settings.links_base != settings.base_url:
        yield from _address("links", "LINK_BASE_URL", settings.links_base, settings)
    yield _cors(settings)
    yield from _origins(settings)
    if origin:
        yield _asked(app, settings, origin)
    yield from _proxies(settings)


def _address(about: str, variable: str, url: str, settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        yield fault(
            about,
            f"{variable} is no address that a client could call",
            f"set {variable}=https://api.example.com",
        )
        return
    if host in EVERYWHERE:
        yield warn(
            about,
            f"clients are told {url}, which only this machine understands",
            f"set {variable} to the name or address that clients use, for example http://192.168.1.20:{settings.port}",
        )
        return
    if settings.production and parts.scheme != "https":
        yield warn(
            about,
            f"{variable} is {url}: tokens in its links travel in clear text",
            f"set {variable} to https://",
        )
    elif settings.production and _private(host):
        yield warn(
            about,
            f"{url} leads nowhere outside of this machine or network",
            f"set {variable} to the name that clients use",
        )
    elif parts.path:
        yield warn(
            about,
            f"{url} has a path; the API answers below /api/v1 only",
            f"leave the path out of {variable}",
        )
    else:
        what = {"links": f"links in mails open {url}, which must serve /verify-email and the other pages"}
        yield ok(about, what.get(about, f"{url}; links in mails and the tokens' issuer are built from it"))


def _cors(settings: Settings) -> Finding:
    listed = ", ".join(settings.cors_origins)
    if settings.development:
        more = f", and {listed}" if listed else ""
        return ok(
            "cors", f"web apps on localhost, any port{more}; from elsewhere the browser refuses the answer"
        )
    if not listed:
        return warn(
            "cors",
            "CORS_ORIGINS is empty: in a web app on another origin every call fails, and the browser's console says "
            "'blocked by CORS policy'; phone apps are not concerned",
            "set CORS_ORIGINS=https://app.example.com (scheme and host as in the browser's address bar, no path)",
        )
    return ok("cors", f"web apps on {listed}; from elsewhere the browser refuses the answer")


def _origins(settings: Settings) -> Iterator[Finding]:
    own = urlsplit(settings.base_url)
    for origin in settings.cors_origins if settings.production else ():
        parts = urlsplit(origin)
        if parts.scheme == "http":
            yield warn(
                "cors",
                f"{origin} is not https: whoever is on the way can change that app and act as its users",
                "serve the app by https, and list that origin",
            )
        elif _site(parts.hostname or "") != _site(own.hostname or ""):
            yield warn(
                "cors",
                f"{origin} is another site than {settings.base_url}: browsers will not send the refresh cookie there",
                'serve both below one domain (app.example.com, api.example.com), or sign in with "token_transport": "body"',
            )


def _asked(app: Flask, settings: Settings, origin: str) -> Finding:
    """Ask as a browser would: a preflight through the whole application."""
    answer = app.test_client().options(
        "/api/v1/projects",
        base_url=settings.base_url,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    if answer.headers.get("Access-Control-Allow-Origin") == origin:
        return ok("cors", f"a web app on {origin} may call")
    also = ",".join((*settings.cors_origins, origin))
    return fault(
        "cors",
        f"a web app on {origin} may not call: the browser refuses the answer",
        f"set CORS_ORIGINS={also}",
    )


def _proxies(settings: Settings) -> Iterator[Finding]:
    hops = settings.trusted_proxies
    if "*" in settings.forwarded_allow_ips:
        yield warn(
            "proxy",
            "FORWARDED_ALLOW_IPS is *: anybody may claim to have come by https",
            "set FORWARDED_ALLOW_IPS to the address of your proxy",
        )
    if hops:
        where = f"the last entry but {hops - 1}" if hops > 1 else "the last entry"
        open_port = (
            "" if _loopback(settings.host) else f"; port {settings.port} must be reachable by it alone"
        )
        yield ok(
            "proxy",
            f"TRUSTED_PROXIES={hops}: a client's address is {where} of X-Forwarded-For, so exactly {hops} "
            f"{'proxy' if hops == 1 else 'proxies'} must add to it{open_port}",
        )
    elif settings.production and settings.base_url.startswith("https://"):
        yield warn(
            "proxy",
            "TRUSTED_PROXIES=0, but something in front must speak TLS for us: all clients then share that address "
            "and one rate limit",
            "set TRUSTED_PROXIES to the number of proxies that add to X-Forwarded-For, usually 1",
        )
    else:
        yield ok(
            "proxy",
            "TRUSTED_PROXIES=0: a client's address is the socket's; right while nothing stands in front",
        )


def _site(host: str) -> str:
    """Roughly what browsers call a site. Without their list of suffixes `a.co.uk` and `b.co.uk` pass for one."""
    return host if _is_ip(host) else ".".join(host.split(".")[-2:])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _loopback(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


def _private(host: str) -> bool:
    return (
        host == "localhost"
        or host.endswith(".local")
        or (_is_ip(host) and ipaddress.ip_address(host).is_private)
    )
