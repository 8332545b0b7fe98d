"""The pages of the documentation, as programs see them; tests/clients looks at them in a browser."""

import json

from app.core.errors import Code
from app.web.docs import document
from tests.fixtures.client import ApiClient


def test_the_document_is_served_with_a_tag(app, anonymous):
    first = anonymous.get("/openapi.json")
    with app.app_context():
        assert first.json == json.loads(json.dumps(document()))
    assert first.headers["Cache-Control"] == "no-cache"
    again = anonymous.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_bare_address_leads_here(anonymous):
    answer = anonymous.get("//")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/docs")


def test_the_pages(anonymous):
    page = anonymous.get("//docs")
    assert page.status_code == 200
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    for file in ("swagger-ui.css", "swagger-ui-bundle.js"):
        answer = anonymous.get(f"//docs/files/{file}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
        answer.close()
    assert anonymous.get("//docs/files/swagger-ui.js.map").status_code == 404
    errors = anonymous.get("//docs/errors").text
    assert all(f'id="{code.value}"' in errors for code in Code)
    assert "`" not in errors


def test_sec_53_the_pages_can_be_turned_off(make_app):
    client = ApiClient(make_app(docs_enabled=False))
    assert [client.get(path).status_code for path in ("//docs", "//docs/errors", "/openapi.json")] == [
        404,
        404,
        404,
    ]
