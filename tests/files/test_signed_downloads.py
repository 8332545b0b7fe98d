"""content_url and thumbnail_url: they need no header, and nobody has more by them than by signing in (SEC-42, SEC-46)."""

from urllib.parse import urlsplit

import pytest

from tests.fixtures.accounts import NO_LIMITS, code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.forms import TEXT
from tests.fixtures.people import make_administrator
from tests.fixtures.pictures import photo


def path_of(url):
    """Of an absolute address, for the tests' client."""
    parts = urlsplit(url)
    return f"/{parts.path}?{parts.query}"


@pytest.fixture
def file(alice, reef):
    return alice.uploads(reef, "kelp.txt").json


@pytest.fixture
def at(reef, file):
    return f"/projects/{reef.id}/files/{file['id']}"


@pytest.fixture
def url(file):
    return path_of(file["content_url"])


@pytest.fixture
def opens(anonymous):
    """Status and code of the answer to somebody who has nothing but the address."""
    return lambda address: code_of(anonymous.get(address))


def test_it_needs_no_header(anonymous, url):
    answer = anonymous.get(url)
    assert (answer.status_code, answer.get_data()) == (200, TEXT)
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_it_takes_ranges_and_tags_like_any_other(anonymous, url, file):
    assert anonymous.get(url, headers={"Range": "bytes=0-3"}).get_data() == TEXT[:4]
    assert anonymous.get(url, headers={"If-None-Match": f'"{file["sha256"]}"'}).status_code == 304
    assert anonymous.open("HEAD", url).status_code == 200


@pytest.mark.parametrize(
    "change",
    [lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"), lambda url: url.replace("hff1", "hff2"),
     lambda url: url.replace(".k1.", ".k2."), lambda url: url[:-5], lambda url: url.split("token=")[0] + "token=kelp"],
    ids=["another sign", "another kind", "another key", "cut off", "none"],
)  # fmt: skip
def test_a_forged_one_leads_nowhere(opens, url, change):
    assert opens(change(url)) == (404, "not_found")


@pytest.mark.parametrize("query", ["", "?token=", "?token=a&size=1", f"?token={'a' * 201}"])
def test_without_a_token_there_is_nothing_to_look_for(opens, query):
    assert opens(f"/files/content{query}") == (422, "validation_failed")


def test_after_five_minutes_it_is_over(alice, advance, opens, url, at):
    advance(seconds=149)
    assert opens(url) == (200, None)
    advance(seconds=152)
    assert opens(url) == (410, "token_expired_or_used")
    assert opens(path_of(alice.get(at).json["content_url"])) == (200, None)


def test_a_viewer_may_have_one_too(people, at, opens):
    assert opens(path_of(people["viewer"].get(at).json["content_url"])) == (200, None)


def test_everybody_has_addresses_of_their_own(people, at, alice):
    assert people["viewer"].get(at).json["content_url"] != alice.get(at).json["content_url"]


def test_who_is_removed_loses_it_at_once(people, alice, reef, at, opens):
    """SEC-42."""
    for who, leave in (
        ("viewer", lambda person: alice.delete(f"/projects/{reef.id}/members/{person.user.id}")),
        ("editor", lambda person: person.post(f"/projects/{reef.id}/leave")),
    ):
        address = path_of(people[who].get(at).json["content_url"])
        assert opens(address) == (200, None)
        assert leave(people[who]).status_code in {200, 204}
        assert opens(address) == (404, "not_found")
    assert opens(path_of(alice.get(at).json["content_url"])) == (200, None)


def test_who_is_suspended_loses_it_at_once(app, bob, reef, joins, at, opens):
    """SEC-42."""
    joins(bob, reef, "editor")
    address = path_of(bob.get(at).json["content_url"])
    ada = make_administrator(app, "Ada")
    assert ada.patch(f"/admin/users/{bob.user.id}", json={"status": "suspended"}).status_code == 200
    assert opens(address) == (404, "not_found")


def test_who_deletes_the_account_loses_it_at_once(bob, reef, joins, at, opens):
    joins(bob, reef, "editor")
    address = path_of(bob.get(at).json["content_url"])
    assert bob.delete("/me").status_code == 202
    assert opens(address) == (404, "not_found")


def test_a_file_that_goes_takes_its_addresses_along(alice, projects, reef, at, url, opens):
    assert alice.delete(at).status_code == 204
    assert opens(url) == (404, "not_found")
    assert alice.post(f"{at}/restore").status_code == 200
    assert opens(url) == (200, None)
    projects.trash(alice.actor, reef.id)
    projects.purge(alice.actor, reef.id)
    assert opens(url) == (404, "not_found")


def test_the_address_of_a_preview_leads_to_the_preview(alice, reef, do_jobs, anonymous):
    file = alice.uploads(reef, "wall.jpg", photo()).json
    do_jobs()
    shown = alice.get(f"/projects/{reef.id}/files/{file['id']}").json
    answer = anonymous.get(path_of(shown["thumbnail_url"]))
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.get_data()[8:12] == b"WEBP"
    assert answer.headers["Content-Disposition"].startswith("inline;")


def test_addresses_change_and_the_tag_does_not(alice, at, advance):
    first = alice.get(at)
    advance(seconds=200)
    second = alice.get(at)
    assert first.json["content_url"] != second.json["content_url"]
    assert first.headers["ETag"] == second.headers["ETag"]
    assert alice.get(at, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_it_counts_for_the_account_it_was_made_for(alice, bob, reef, joins, at, make_app):
    """A page full of pictures does not use up what everybody behind one router has."""
    joins(bob, reef, "viewer")
    app = make_app(**{**NO_LIMITS, "rate_limit_anonymous": "2/60", "rate_limit_reads": "4/60"})
    nobody, address = ApiClient(app), path_of(alice.get(at).json["content_url"])
    other = path_of(bob.get(at).json["content_url"])
    assert [nobody.get(address).status_code for _ in range(5)] == [200] * 4 + [429]
    assert nobody.get(other).status_code == 200, "another account has its own"
    assert nobody.get("/meta").status_code == 200, "and the address of all of them has lost nothing"
    assert [nobody.get("/files/content?token=kelp").status_code for _ in range(2)] == [404, 429]
