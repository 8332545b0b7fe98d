"""What our Flask does not look up anew is what Flask would have found."""

import pytest
from flask import Flask, request
from werkzeug.exceptions import SecurityError
from werkzeug.routing import MapAdapter

from app.web.framework import Answer, Application

ENVIRONS = [
    {},
    {"PATH_INFO": "/things/1", "QUERY_STRING": "a=1&b=%C3%A9"},
    {"PATH_INFO": "//things//1", "SCRIPT_NAME": "/below/"},
    {"PATH_INFO": "/kelp \xc3\xa9", "SCRIPT_NAME": "/below"},
    {"HTTP_HOST": "API.Example:443", "wsgi.url_scheme": "https"},
    {"HTTP_HOST": "api.example:8080"},
    {"HTTP_HOST": "[::1]:80"},
    {"HTTP_HOST": "b\xfccher.example"},
    {"HTTP_HOST": "no host at all"},
    {"HTTP_HOST": None, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000"},
    {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"},
    {"REQUEST_METHOD": "PATCH"},
]
ADAPTER = (
    "server_name", "script_name", "subdomain", "url_scheme", "path_info", "default_method", "query_args",
    "websocket",
)  # fmt: skip


def environ_of(app, changes):
    with app.test_request_context("/") as context:
        environ = dict(context.request.environ)
    environ.update(changes)
    return {name: value for name, value in environ.items() if value is not None}


def adapter_of(kind, changes, trusted=None):
    app = kind("app")
    app.config["TRUSTED_HOSTS"] = trusted
    asked = app.request_class(environ_of(app, changes))
    try:
        made = app.create_url_adapter(asked)
    except SecurityError:
        return "not trusted"
    assert isinstance(made, MapAdapter)
    return {name: getattr(made, name) for name in ADAPTER}, asked.host


@pytest.mark.parametrize("trusted", [None, ["api.example"], [".example"]])
@pytest.mark.parametrize("changes", ENVIRONS)
def test_the_address_is_read_as_flask_reads_it(changes, trusted):
    expected = adapter_of(Flask, changes, trusted)
    for _ in range(2):
        assert adapter_of(Application, changes, trusted) == expected


def test_a_host_that_is_not_trusted_is_refused_each_time():
    for _ in range(3):
        assert adapter_of(Application, {"HTTP_HOST": "evil.example"}, ["api.example"]) == "not trusted"
        assert adapter_of(Application, {"HTTP_HOST": "api.example"}, ["api.example"]) != "not trusted"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (201, {"Location": "/api/v1/projects/1"}),
        (204, {}),
        (301, {"Location": "/k\xe9lp"}),
        (304, {"ETag": '"1"', "Content-Type": "application/json"}),
        (200, {"Content-Location": "/k\xe9lp"}),
        (404, {"X-One": "1"}),
    ],
)
@pytest.mark.parametrize("body", ["", "kelp", b"\x00\x01"])
def test_headers_go_out_as_werkzeug_sends_them(status, headers, body):
    app = Application("app")
    with app.test_request_context("/"):
        ours, theirs = (kind(body, status, headers) for kind in (Answer, Flask.response_class))
        assert ours.get_wsgi_headers(request.environ).to_wsgi_list() == (
            theirs.get_wsgi_headers(request.environ).to_wsgi_list()
        )


def test_what_goes_out_can_be_changed_without_changing_the_response():
    app = Application("app")
    with app.test_request_context("/"):
        answer = Answer("kelp")
        answer.get_wsgi_headers(request.environ)["X-More"] = "1"
        assert "X-More" not in answer.headers
