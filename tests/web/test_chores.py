"""What a real process does between requests: it releases what it changed, at the latest when nobody asks for anything."""

import json

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


def test_whoever_creates_is_listed_it_at_once(holdfast, alice, bob, redis_client):
    with holdfast.connect() as client, holdfast.connect() as other:
        for number in range(10):
            creates(client, alice, f"number {number}")
            assert lists(other, alice)[0] == f"number {number}"
            assert lists(client, alice)[0] == f"number {number}"
            assert lists(other, bob) == []


def test_a_process_that_is_told_to_stop_leaves_nothing_held(holdfast, alice, redis_client):
    with holdfast.connect() as client:
        creates(client, alice, "Reef")
    assert holdfast.stop() == 0
    words = [
        redis_client.get(key) or b""
        for key in redis_client.scan_iter("*")
        if redis_client.type(key) == b"string"
    ]
    assert not [word for word in words if is_held(word.decode(errors="replace"))]
