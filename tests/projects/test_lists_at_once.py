"""Lists of one person that several change at once (decision 41): what one of them leaves undone is no other's to end."""

import threading

import pytest

from app.core.generations import Generations
from tests.fixtures.lists import listed


def names(person):
    return sorted(each["name"] for each in listed(person))


@pytest.fixture
def between(app, monkeypatch):
    """``with between(work, then): ...``: ``work`` runs up to its COMMIT; then the block; then the rest of it.

    ``dies``: and nothing after it.
    """
    generations = app.extensions["holdfast"].engines.cache.generations

    class Paused:
        def __init__(self, work, *, dies=False):
            self._work, self._answers = work, []
            self._held, self._goes_on = threading.Event(), threading.Event()
            monkeypatch.setattr(generations, "hold", self._hold)
            if dies:
                monkeypatch.setattr(generations, "release", lambda *_told: None)

        def _hold(self, changed, word):
            Generations.hold(generations, changed, word)
            self._held.set()
            assert self._goes_on.wait(20)

        def __enter__(self):
            self._thread = threading.Thread(target=lambda: self._answers.append(self._work()), daemon=True)
            self._thread.start()
            assert self._held.wait(20)

        def __exit__(self, *_told):
            self._goes_on.set()
            self._thread.join(20)
            monkeypatch.undo()
            assert self._answers[0].status_code < 300

    return Paused


@pytest.mark.parametrize("dies", [False, True], ids=["", "and one dies after its commit"])
def test_who_is_removed_while_they_make_a_project_is_not_listed_what_they_lost(
    alice, bob, joins, elsewhere, between, dies
):
    """Bob's own change begins after hers and ends before it; a third process reads his list in between."""
    reef, there = alice.creates("Reef"), elsewhere(bob)
    joins(bob, reef, "viewer")
    assert [names(bob), names(there)] == [["Reef"], ["Reef"]]
    with between(lambda: alice.delete(f"/projects/{reef.id}/members/{bob.user.id}"), dies=dies):
        assert there.post("/projects", json={"name": "His"}).status_code == 201
        assert names(there) == ["His", "Reef"]
    assert [names(there), names(bob)] == [["His"], ["His"]]


def test_two_changes_of_one_persons_projects_are_both_listed(alice, elsewhere, between):
    reef, kelp, there = alice.creates("Reef"), alice.creates("Kelp"), elsewhere(alice)
    names(there)
    with between(lambda: alice.patch(f"/projects/{reef.id}", json={"name": "Reef survey"})):
        assert there.patch(f"/projects/{kelp.id}", json={"name": "Kelp forest"}).status_code == 200
        assert names(there) == ["Kelp forest", "Reef"]
    assert names(there) == ["Kelp forest", "Reef survey"]


def cut_all_connections(redis_client):
    """Of this test's database: the server is everybody's."""
    own = redis_client.client_info()
    for each in redis_client.client_list():
        if each["db"] == str(own["db"]) and each["id"] != str(own["id"]):
            redis_client.client_kill_filter(_id=each["id"])


def test_a_hold_that_redis_lost_before_the_commit_is_made_good_after_it(
    alice, elsewhere, between, redis_client
):
    """D5: flushed, and all connections cut, between the two; somebody reads and keeps what was before."""
    reef, there = alice.creates("Reef"), elsewhere(alice)
    names(there)
    with between(lambda: alice.patch(f"/projects/{reef.id}", json={"name": "Kelp"})):
        redis_client.flushdb()
        cut_all_connections(redis_client)
        assert [names(there), names(there)] == [["Reef"], ["Reef"]]
    assert names(there) == ["Kelp"]
