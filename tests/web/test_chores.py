"""What a real process does between requests: it releases what it changed, at the latest when nobody asks for anything."""

import json
from contextlib import ExitStack

import pytest

from app.core.cache_keys import cache_key
from app.core.generations import is_held
from app.projects.kept_lists import LISTS
from tests.fixtures.gunicorn_process import request, until
from tests.fixtures.holdfast_process import headed


def creates(client, person, name):
    body = json.dumps({"name": name}).encode()
    kind = "Content-Type: application/json"
    sent = headed(person, kind, f"Content-Length: {len(body)}")
    client.send(request("POST", "/api/v1/projects", *sent, body=body))
    answer = client.answer()
    assert answer.status == 201, answer.body


def lists(client, person):
    client.send(request("GET", "/api/v1/projects", *headed(person)))
    answer = client.answer()
    assert answer.status == 200, answer.body
    return [each["name"] for each in json.loads(answer.body)["items"]]


def test_a_list_is_released_though_nobody_asks_for_anything_more(holdfast, alice, redis_client):
    key = cache_key(LISTS.namespace, str(alice.user.id))

    def is_released():
        word = redis_client.get(key)
        return word is not None and not is_held(word.decode())

    with holdfast.connect() as client:
        for name in ("Reef", "Kelp"):
            creates(client, alice, name)
            until(is_released, "the list is released")


@pytest.mark.parametrize("holdfast", [2], indirect=True)
def test_whoever_creates_is_listed_it_at_once_by_every_process(holdfast, alice, bob):
    """Four connections are dealt to both; the one that did not write meets the hold, or what it was released to."""
    with ExitStack() as stack:
        first, *others = [stack.enter_context(holdfast.connect()) for _ in range(4)]
        for number in range(10):
            creates(first, alice, f"number {number}")
            for client in others:
                assert lists(client, alice)[0] == f"number {number}"
            assert lists(others[0], bob) == []
