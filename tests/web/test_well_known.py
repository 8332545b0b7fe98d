"""/.well-known: security contact, password managers, and the apps that open our links."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.clock import Clock
from tests.fixtures.pages_app import pages_app


def get(name, **settings):
    return pages_app(**settings).test_client().get(f"/.well-known/{name}")


def test_security_txt():
    """RFC 9116: contact and expiry are needed, and the expiry lies less than a year ahead."""
    answer = get("security.txt", security_contact="security@example.org, https://example.org/report")
    assert answer.content_type == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [value for name, value in fields if name == "Contact"] == [
        "mailto:security@example.org",
        "https://example.org/report",
    ]
    told = dict(fields)
    expires = datetime.strptime(told["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < expires - Clock().now() < timedelta(days=365)
    assert told["Canonical"] == "https://api.example.com/.well-known/security.txt"
    assert told["Preferred-Languages"] == "en"


@pytest.mark.parametrize(("app_env", "status"), [("development", 200), ("test", 200), ("production", 404)])
def test_a_made_up_contact_is_for_development_only(app_env, status):
    assert get("security.txt", app_env=app_env).status_code == status


def test_change_password():
    assert get("change-password").status_code == 302
    assert get("change-password").location == "https://api.example.com/forgot-password"
    assert get("change-password", link_base_url="https://app.example.com/").location == (
        "https://api.example.com/forgot-password"
    ), "the page that exists, whatever pages a web app has"
    assert get("change-password", change_password_url="https://app.example.com/settings").location == (
        "https://app.example.com/settings"
    )


def test_ios_apps():
    answer = get("apple-app-site-association", apple_app_ids="TEAM1.com.example.app,TEAM1.com.example.beta")
    assert answer.content_type == "application/json"
    apps = ["TEAM1.com.example.app", "TEAM1.com.example.beta"]
    [detail] = answer.json["applinks"]["details"]
    assert detail["appIDs"] == apps
    assert {"/": "/verify-email"} in detail["components"]
    assert answer.json["webcredentials"] == {"apps": apps}


def test_android_apps():
    answer = get(
        "assetlinks.json",
        android_apps="com.example.app|SHA256:aa:bb,com.example.app|CC:DD,com.example.x|EE:FF",
    )
    assert answer.content_type == "application/json"
    first, second = (statement["target"] for statement in answer.json)
    assert first == {
        "namespace": "android_app",
        "package_name": "com.example.app",
        "sha256_cert_fingerprints": ["AA:BB", "CC:DD"],
    }
    assert second["package_name"] == "com.example.x"
    assert "delegate_permission/common.handle_all_urls" in answer.json[0]["relation"]


@pytest.mark.parametrize("name", ["apple-app-site-association", "assetlinks.json"])
def test_without_apps_there_is_no_such_file(name):
    assert get(name).status_code == 404
