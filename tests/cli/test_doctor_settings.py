"""What `flask doctor` says of settings, keys, addresses, web origins and proxies."""

import base64

import pytest

from tests.cli.examined import PRODUCTION, Examined
from tests.fixtures.command_line import command_line


def examine(make_app, *words, **overrides):
    return Examined(make_app(**overrides), *words)


def told(seen, subject, severity):
    return " | ".join(each["what"] for each in seen.about(subject, severity))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"read_only": True}, "READ_ONLY is on"),
        ({"debug": True}, "DEBUG is on"),
        ({"cache_enabled": False}, "CACHE_ENABLED is off"),
        ({"workers": 64}, "WORKERS=64 on"),
        ({**PRODUCTION, "ops_token": None}, "OPS_TOKEN is not set"),
    ],
)
def test_settings_that_are_allowed_and_yet_odd(make_app, setting, words):
    assert words in told(examine(make_app, **setting), "settings", "warn")


def test_ordinary_settings_are_no_complaint(make_app):
    seen = examine(make_app)
    assert seen.about("settings", "warn") == []
    assert "test, 2 workers of 6 threads" in seen.one("settings", "ok")["what"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("REDIS_URI", "REDIS_URL"),
        ("LOG_LEVELS", "LOG_LEVEL"),
    ],
)
def test_a_variable_that_is_nearly_a_setting(make_app, monkeypatch, name, meant):
    monkeypatch.setenv(name, "https://secretword.example.com")
    seen = examine(make_app)
    (found,) = seen.about("settings", "warn")
    assert found["what"] == f"{name} is set, and nothing reads it"
    assert found["mend"] == f"did you mean {meant}?"
    assert "secretword" not in seen.output


@pytest.mark.parametrize(
    "name", ["HOSTNAME", "LOGNAME", "DATABASE_URL_FILE", "PYTHONPATH", "HOLDFAST_ENV_FILE", "MAIL"]
)
def test_a_variable_that_means_something_else(make_app, monkeypatch, name):
    monkeypatch.setenv(name, "/x")
    assert examine(make_app).about("settings", "warn") == []


def test_keys_are_told_by_their_ids_alone(make_app, settings):
    older = "k0:" + base64.b64encode(bytes(range(60, 92))).decode()
    ring = f"{settings.secret_keys.get_secret_value()},{older}"
    seen = examine(make_app, secret_keys=ring)
    assert seen.one("keys", "ok")["what"].startswith(
        "SECRET_KEYS k1 (current), k0; PASSWORD_PEPPERS k1 (current)"
    )
    assert older.partition(":")[2] not in seen.output


@pytest.mark.parametrize(
    ("setting", "severity", "words"),
    [
        ({"public_url": "http://localhost:8000"}, "ok", "http://localhost:8000"),
        ({"public_url": "", "host": "0.0.0.0"}, "warn", "which only this machine understands"),
        ({"public_url": "http://0.0.0.0:8000"}, "warn", "which only this machine understands"),
        ({"public_url": "http://api.example.com/v2"}, "warn", "has a path"),
        ({"public_url": "api.example.com"}, "fault", "no address that a client could call"),
        ({"public_url": "http://a:b@api.example.com"}, "fault", "no address that a client could call"),
        ({**PRODUCTION, "public_url": "https://10.0.0.7"}, "warn", "leads nowhere outside"),
        ({**PRODUCTION, "public_url": "https://localhost"}, "warn", "leads nowhere outside"),
        (PRODUCTION, "ok", "https://api.example.com"),
    ],
)
def test_the_public_address(make_app, setting, severity, words):
    assert words in examine(make_app, **setting).one("public url", severity)["what"]


def test_links_on_another_address(make_app):
    seen = examine(make_app, link_base_url="https://app.example.com")
    assert "must serve /verify-email" in seen.one("links", "ok")["what"]
    assert examine(make_app).about("links") == []
    clear = examine(make_app, **PRODUCTION, link_base_url="http://app.example.com")
    assert "clear text" in clear.one("links", "warn")["what"]


def test_web_apps_while_developing(make_app):
    found = examine(make_app, cors_origins=("https://app.example.com",)).one("cors", "ok")["what"]
    assert "localhost, any port, and https://app.example.com" in found


def test_production_without_web_origins_says_what_the_browser_will_say(make_app):
    found = examine(make_app, **{**PRODUCTION, "cors_origins": ()}).one("cors", "warn")
    assert "blocked by CORS policy" in found["what"]
    assert "CORS_ORIGINS=https://" in found["mend"]


def test_production_with_a_web_origin(make_app):
    assert "https://app.example.com" in examine(make_app, **PRODUCTION).one("cors", "ok")["what"]


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("http://app.example.com", "is not https"),
        ("https://app.example.org", "browsers will not send the refresh cookie"),
    ],
)
def test_production_with_a_web_origin_that_will_disappoint(make_app, origin, words):
    assert words in examine(make_app, **{**PRODUCTION, "cors_origins": (origin,)}).one("cors", "warn")["what"]


@pytest.mark.parametrize(
    ("setting", "origin", "severity"),
    [
        ({}, "http://localhost:5173", "ok"),
        ({}, "http://192.168.1.20:5173", "fault"),
        ({"cors_origins": ("http://192.168.1.20:5173",)}, "http://192.168.1.20:5173", "ok"),
        (PRODUCTION, "https://app.example.com", "ok"),
        (PRODUCTION, "http://localhost:5173", "fault"),
        (PRODUCTION, "https://app.example.com.evil.io", "fault"),
    ],
)
def test_whether_a_web_app_of_mine_may_call(make_app, setting, origin, severity):
    """SEC-54, answered by the application itself."""
    found = [
        each
        for each in examine(make_app, "--origin", origin, **setting).about("cors", severity)
        if origin in each["what"]
    ]
    assert found
    if severity == "fault":
        assert found[0]["mend"].startswith("set CORS_ORIGINS=")
        assert found[0]["mend"].endswith(origin)


def test_what_is_no_origin_is_refused_with_the_reason(flask):
    result = flask("doctor", "--origin", "http://localhost:5173/app")
    assert result.exit_code == 2
    assert "scheme://host[:port]" in result.output


@pytest.mark.parametrize(
    ("setting", "severity", "words"),
    [
        ({}, "ok", "TRUSTED_PROXIES=0: a client's address is the socket's"),
        (
            {"trusted_proxies": 1},
            "ok",
            "the last entry of X-Forwarded-For, so exactly 1 proxy must add to it",
        ),
        ({"trusted_proxies": 2, "host": "0.0.0.0"}, "ok", "must be reachable by it alone"),
        ({"forwarded_allow_ips": "*"}, "warn", "FORWARDED_ALLOW_IPS is *"),
        ({**PRODUCTION, "trusted_proxies": 0}, "warn", "share that address and one rate limit"),
        (PRODUCTION, "ok", "TRUSTED_PROXIES=1"),
    ],
)
def test_proxies(make_app, setting, severity, words):
    """SEC-47."""
    assert words in told(examine(make_app, **setting), "proxy", severity)


def test_help_says_the_exit_codes(make_app):
    output = command_line(make_app())("doctor", "--help").output
    assert "0: all is well" in output
    assert "2:" in output
