"""SEC-48: the general limits, and what clients are told of them."""

import re

import pytest

from tests.fixtures.client import ApiClient
from tests.fixtures.gunicorn_process import until
from tests.fixtures.planted import plant, what_it_believes

# RFC 9651: an Item that is a String, with Parameters that are Integers (draft-ietf-httpapi-ratelimit-headers).
POLICY = re.compile(r'"([ -!#-\[\]-~]+)";q=([1-9][0-9]{0,14});w=([1-9][0-9]{0,14})')
STATE = re.compile(r'"([ -!#-\[\]-~]+)";r=(0|[1-9][0-9]{0,14});t=([1-9][0-9]{0,14})')


def policy(answer):
    name, quota, window = POLICY.fullmatch(answer.headers["RateLimit-Policy"]).groups()
    return name, int(quota), int(window)


def state(answer):
    name, remaining, reset = STATE.fullmatch(answer.headers["RateLimit"]).groups()
    return name, int(remaining), int(reset)


LIMITED = {
    "reads": ("rate_limit_reads", lambda client: client.get("/me")),
    "writes": ("rate_limit_writes", lambda client: client.patch("/me", json={"display_name": "Alice"})),
    "anonymous": ("rate_limit_anonymous", lambda client: client.get("/meta", headers={"Authorization": ""})),
}


@pytest.mark.parametrize(
    ("name", "setting", "call"), [(name, *rest) for name, rest in LIMITED.items()], ids=LIMITED
)
def test_sec_48_each_limit_counts_down_refuses_and_starts_afresh(
    make_app, alice, redis_client, name, setting, call
):
    client = ApiClient(make_app(**{setting: "3/60"}), alice.token)
    answers = [call(client) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert {policy(answer) for answer in answers} == {(name, 3, 60)}
    assert [state(answer)[:2] for answer in answers] == [
        (name, 2),
        (name, 1),
        (name, 0),
        (name, 0),
        (name, 0),
    ]
    assert all(0 < state(answer)[2] <= 60 for answer in answers)
    refused = answers[-1]
    wait = int(refused.headers["Retry-After"])
    assert (refused.json["code"], refused.json["retry_after"]) == ("rate_limited", wait)
    assert state(refused)[2] <= wait <= 60
    [key] = redis_client.keys("hfl:*")
    assert 0 < redis_client.pttl(key) <= wait * 1000, "the window ends when Retry-After says so"
    redis_client.pexpire(key, 20)
    until(lambda: call(client).status_code == 200, "the next window begins")


def test_the_defaults(app, alice, anonymous):
    assert policy(alice.get("/me")) == ("reads", 600, 60)
    assert policy(alice.patch("/me", json={})) == ("writes", 120, 60)
    assert policy(anonymous.get("/meta")) == ("anonymous", 120, 60)


def test_the_factor_multiplies_every_limit(make_app, alice):
    client = ApiClient(make_app(rate_limit_factor=20), alice.token)
    assert policy(client.get("/me")) == ("reads", 12_000, 60)


def test_sec_48_every_limited_answer_tells_the_limit(alice, anonymous):
    project = alice.creates()
    answers = [
        alice.get("/projects"),
        alice.post("/projects", json={"name": "Reef"}),
        alice.get(f"/projects/{project.id}", headers={"If-None-Match": "*"}),
        alice.get("/projects/nothing"),
        alice.get("/projects?limit=0"),
        alice.post("/projects", data=b"{", content_type="application/json"),
        alice.delete(f"/projects/{project.id}"),
        anonymous.get("/me"),
        anonymous.post("/auth/login", json={"email": "nobody@example.com", "password": "wrong, wrong"}),
    ]
    assert [each.status_code for each in answers] == [200, 201, 304, 404, 422, 400, 204, 401, 401]
    for answer in answers:
        if answer.status_code != 404:  # no operation stands at that address, so no limit does
            assert policy(answer)[0] == state(answer)[0]


def test_accounts_do_not_share(make_app, alice, bob):
    other = make_app(rate_limit_reads="1/60", rate_limit_anonymous="1/60")
    first, second, nobody = ApiClient(other, alice.token), ApiClient(other, bob.token), ApiClient(other)
    assert first.get("/me").status_code == 200
    assert first.get("/me").status_code == 429
    assert second.get("/me").status_code == 200
    assert nobody.get("/meta").status_code == 200
    assert nobody.get("/meta").status_code == 429


def test_two_devices_of_one_account_share(make_app, alice):
    other = make_app(rate_limit_reads="1/60")
    assert ApiClient(other, alice.token).get("/me").status_code == 200
    assert ApiClient(other, alice.signs_in_again().token).get("/me").status_code == 429


def test_a_made_up_token_counts_for_the_address(make_app, alice, redis_client):
    other = make_app(rate_limit_anonymous="2/60")
    answers = [ApiClient(other, f"{alice.token}{number}").get("/me").status_code for number in range(3)]
    assert answers == [401, 401, 429]
    assert len(redis_client.keys("hfl:*")) == 1


def test_t17_networks_count_as_one_subscriber(make_app):
    client = ApiClient(plant(make_app(rate_limit_anonymous="2/60"), what_it_believes))
    seen = [
        client.get("/planted", environ_base={"REMOTE_ADDR": address}).status_code
        for address in (
            "2001:db8::1",
            "2001:db8::2",
            "2001:db8:0:0:ffff::3",
            "2001:db8:0:1::1",
            "",
            "nonsense",
            "unix:",
        )
    ]
    assert seen == [200, 200, 429, 200, 200, 200, 429], (
        "what has no address shares a bucket and is counted all the same"
    )


def test_a_flood_never_reaches_the_database(make_app, alice):
    """The limit stands before the session check, and costs no statement."""
    other = make_app(app_env="production", rate_limit_reads="1/3600")  # where there is no test clock to read
    client = ApiClient(other, alice.token)
    client.get("/me")
    other.extensions["holdfast"].engines.engine.dispose()
    in_use = other.extensions["holdfast"].engines.engine.pool
    assert client.get("/me").status_code == 429
    assert (in_use.checkedin(), in_use.checkedout()) == (0, 0), "no connection was opened"


def test_health_pages_and_preflights_are_not_counted(make_app, redis_client):
    client = ApiClient(make_app(rate_limit_anonymous="1/60"))
    for _ in range(3):
        assert client.get("//livez").status_code == 200
        assert client.get("//docs").status_code == 200
        assert client.open("OPTIONS", "/me", headers={"Origin": "http://localhost:3000"}).status_code == 200
    assert redis_client.keys("hfl:*") == []


def test_every_window_ends(alice, redis_client):
    alice.get("/me")
    for key in redis_client.keys("hfl:*"):
        assert redis_client.pttl(key) > 0
