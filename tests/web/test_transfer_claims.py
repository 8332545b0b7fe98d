"""In a thread for transfers: the request counts for whoever it is, once that has been looked at (D9)."""

import pytest

from app.web.transfer_holder import claims
from tests.fixtures.api_tokens import script

__all__ = ["script"]


@pytest.fixture
def room():
    """A room that has no place for anybody; whom it was asked for."""
    asked = []
    before = claims.set(lambda holder: asked.append(holder) or False)
    yield asked
    claims.reset(before)


def test_whoever_is_not_signed_in_counts_for_his_address(room, anonymous):
    answer = anonymous.post("/auth/resend-verification", json={"email": "alice@example.com"})
    assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "5"
    assert room == ["address:127.0.0.1/32"]


def test_every_token_of_hers_counts_for_alice(alice, script, request):
    scripts = script(alice), script(alice)
    room = request.getfixturevalue("room")
    for client in (alice, alice.signs_in_again(), *scripts):
        assert client.get("/projects").json["code"] == "overloaded"
    assert room == [f"account:{alice.user.id}"] * 4


def test_an_invented_token_counts_for_the_address(room, anonymous):
    assert anonymous.get("/projects", headers={"Authorization": "Bearer x.y.z"}).json["code"] == "overloaded"
    assert room == ["address:127.0.0.1/32"]


def test_an_address_of_a_file_counts_for_whom_it_was_made(room, alice, anonymous):
    assert anonymous.get("/files/content?token=kelp").json["code"] == "overloaded"
    claims.set(None)
    project = alice.creates()
    url = alice.get(f"/projects/{project.id}/files/{alice.uploads(project).json['id']}").json["content_url"]
    claims.set(lambda holder: room.append(holder) or False)
    assert anonymous.open("GET", "/files/content?" + url.partition("?")[2]).json["code"] == "overloaded"
    assert room == ["address:127.0.0.1/32", f"account:{alice.user.id}"]
