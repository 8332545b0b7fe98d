"""A removal counts on the next request, and within a second where a process cannot reach Redis (SEC-42, SEC-43)."""

import time

import pytest

from tests.fixtures.client import ApiClient

NOWHERE = "redis://127.0.0.1:1/0"


def seconds_until_gone(client, person, project):
    """How long after the first look the project was last shown there."""
    started, last = time.monotonic(), 0.0
    bearer = {"Authorization": f"Bearer {person.token}"}
    while True:
        assert time.monotonic() - started < 5, "still shown after five seconds"
        asked = time.monotonic()
        status = client.get(f"/projects/{project.id}", headers=bearer).status_code
        if status == 404:
            return last
        assert status == 200
        last = asked - started


@pytest.mark.parametrize(
    ("here", "there"), [(None, None), (NOWHERE, None), (None, NOWHERE)],
    ids=["redis for both", "the one who removes is cut off", "the other is cut off"],
)  # fmt: skip
@pytest.mark.parametrize("age", [0, 60], ids=["seen just now", "seen a minute ago"])
def test_the_other_worker_forgets(make_app, alice, bob, reef, here, there, age, wall):
    limits = {"rate_limit_reads": "1000000/60"}
    first, second = (
        ApiClient(make_app(**limits, **({"redis_url": url} if url else {}))) for url in (here, there)
    )
    bearer = {"Authorization": f"Bearer {bob.token}"}
    for client in (first, second):
        assert client.get(f"/projects/{reef.id}", headers=bearer).status_code == 200
    wall(age)
    assert second.get(f"/projects/{reef.id}", headers=bearer).status_code == 200
    removed = first.delete(
        f"/projects/{reef.id}/members/{bob.user.id}", headers={"Authorization": f"Bearer {alice.token}"}
    )
    assert removed.status_code == 204
    assert first.get(f"/projects/{reef.id}", headers=bearer).status_code == 404
    assert seconds_until_gone(second, bob, reef) <= 1.0


def test_a_lowered_role_counts_at_once(alice, bob, reef):
    assert bob.patch(f"/projects/{reef.id}", json={"name": "Kelp"}).status_code == 200
    alice.patch(f"/projects/{reef.id}/members/{bob.user.id}", json={"role": "viewer"})
    assert bob.get(f"/projects/{reef.id}").json["my_role"] == "viewer"
    assert bob.patch(f"/projects/{reef.id}", json={"name": "Reef"}).status_code == 403
