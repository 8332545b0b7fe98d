"""Files of the pages: kept for a year under their digest, served fresh under any other."""

import pytest

from app.web.assets import asset_url
from tests.fixtures.pages_app import pages_app


@pytest.fixture
def app():
    return pages_app()


def address(app, name):
    with app.test_request_context():
        return asset_url(name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pages.css", "text/css"),
        ("link_page.js", "javascript"),
        ("mailbox.js", "javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_an_asset_under_its_digest(app, name, kind):
    response = app.test_client().get(address(app, name))
    assert response.status_code == 200
    assert kind in response.content_type
    assert set(response.headers["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}


def test_an_old_digest_still_answers_but_is_not_kept(app):
    response = app.test_client().get("/assets/0123456789ab/pages.css")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


def test_validators_spare_the_body(app):
    client, url = app.test_client(), address(app, "pages.css")
    etag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "x/none.css",
        "x/../pages.py",
        "x/%2e%2e/pages.py",
        "x//etc/passwd",
        "x/",
        "x/..",
        "x/%2e%2e%2fpages.py",
        "x/pages.py",
    ],
)
def test_nothing_outside_the_folder(app, path):
    assert app.test_client().get(f"/assets/{path}").status_code in {308, 404}


def test_a_template_cannot_name_a_file_that_is_not_there(app):
    with pytest.raises(FileNotFoundError):
        address(app, "none.css")
