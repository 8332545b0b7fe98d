"""Which domain and which origins passkeys belong to, and what production refuses (SEC-56)."""

import pytest

from app.config_passkeys import belongs, is_android, rp_id_of
from tests.config.test_start import PRODUCTION
from tests.fixtures.starts import starts

ANDROID = "android:apk-key-hash:" + "A" * 43
WRONG = {
    "a domain with a scheme": ({"WEBAUTHN_RP_ID": "https://example.com"}, ["WEBAUTHN_RP_ID"]),
    "a domain with a port": ({"WEBAUTHN_RP_ID": "example.com:443"}, ["WEBAUTHN_RP_ID"]),
    "an address": ({"WEBAUTHN_RP_ID": "203.0.113.7"}, ["WEBAUTHN_RP_ID"]),
    "a domain in capitals": ({"WEBAUTHN_RP_ID": "Example.com"}, ["WEBAUTHN_RP_ID"]),
    "one label": ({"WEBAUTHN_RP_ID": "com"}, ["WEBAUTHN_RP_ID"]),
    "a domain of somebody else": ({"WEBAUTHN_RP_ID": "example.org"}, ["WEBAUTHN_RP_ID"]),
    "a domain that ends alike": ({"WEBAUTHN_RP_ID": "le.com"}, ["WEBAUTHN_RP_ID"]),
    "an origin of another domain": ({"WEBAUTHN_ORIGINS": "https://app.example.org"}, ["WEBAUTHN_ORIGINS"]),
    "an origin without TLS": ({"WEBAUTHN_ORIGINS": "http://api.example.com"}, ["WEBAUTHN_ORIGINS"]),
    "an origin with a path": ({"WEBAUTHN_ORIGINS": "https://api.example.com/app"}, ["WEBAUTHN_ORIGINS"]),
    "any origin": ({"WEBAUTHN_ORIGINS": "*"}, ["WEBAUTHN_ORIGINS"]),
    "a hash that is cut": ({"WEBAUTHN_ORIGINS": ANDROID[:-1]}, ["WEBAUTHN_ORIGINS"]),
    "a hash in hexadecimal": ({"WEBAUTHN_ORIGINS": "android:apk-key-hash:AB:CD"}, ["WEBAUTHN_ORIGINS"]),
    "an address with a broken host": ({"PUBLIC_URL": "https://["}, ["PUBLIC_URL"]),
}
RIGHT = {
    "nothing": {},
    "a parent domain": {"WEBAUTHN_RP_ID": "example.com"},
    "an app": {"WEBAUTHN_ORIGINS": ANDROID},
    "a page and an app": {
        "WEBAUTHN_RP_ID": "example.com",
        "WEBAUTHN_ORIGINS": f"https://app.example.com,https://example.com,{ANDROID}",
    },
    "a partner in CORS": {"CORS_ORIGINS": "https://app.example.com,https://partner.example.org"},
}


@pytest.fixture(scope="module")
def started():
    cases = {**{name: env for name, (env, _) in WRONG.items()}, **RIGHT}
    return dict(zip(cases, starts("wsgi.py", [{**PRODUCTION, **env} for env in cases.values()]), strict=True))


@pytest.mark.parametrize("name", WRONG)
def test_sec_56_production_refuses(started, name):
    assert (started[name].code, started[name].faults) == (78, WRONG[name][1])


@pytest.mark.parametrize("name", RIGHT)
def test_production_takes(started, name):
    assert "WEBAUTHN" not in started[name].err


@pytest.mark.parametrize(
    ("url", "rp_id"),
    [
        ("https://api.example.com", "api.example.com"),
        ("https://API.example.com:8443/base", "api.example.com"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
        ("http://[", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_domain_is_the_host_of_our_address(url, rp_id):
    assert rp_id_of(url) == rp_id


@pytest.mark.parametrize(
    ("origin", "rp_id", "lies_in"),
    [
        ("https://example.com", "example.com", True),
        ("https://app.example.com:8443", "example.com", True),
        ("https://badexample.com", "example.com", False),
        ("https://example.com.evil.org", "example.com", False),
        ("https://example.com", "app.example.com", False),
        ("*", "example.com", False),
    ],
)
def test_an_origin_lies_in_its_domain_or_not(origin, rp_id, lies_in):
    assert belongs(origin, rp_id) is lies_in


def test_the_origins_are_our_own_and_those_of_cors_in_the_domain(settings):
    usual = settings.model_copy(
        update={
            "public_url": "https://api.example.com/",
            "webauthn_rp_id": "example.com",
            "cors_origins": (
                "https://app.example.com",
                "https://partner.example.org",
                "https://api.example.com",
            ),
        }
    )
    assert usual.passkey_origins == ("https://api.example.com", "https://app.example.com")


def test_chosen_origins_take_their_place(settings):
    chosen = settings.model_copy(update={"webauthn_origins": (ANDROID,)})
    assert chosen.passkey_origins == (ANDROID,)
    assert is_android(ANDROID)
