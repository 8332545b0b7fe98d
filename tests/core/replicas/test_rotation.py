"""REL-07: which replicas are asked: those in step, of our own cluster, in each process; the others come back by themselves."""

import os

import pytest

from app.core.db import reading
from app.core.replicas.marks import KEPT_SECONDS
from app.core.replicas.server import LOOK_LASTS, MOST_BYTES, MOST_SECONDS, PAUSE, Replica
from app.web.health import KEPT_FOR
from tests.core.replicas.conftest import servers
from tests.fixtures.client import ApiClient
from tests.fixtures.gunicorn_process import until

IN_STEP = [("replica", "in_step")]
NINE_MIB = "SELECT pg_logical_emit_message(true, 'kelp', repeat('x', 1024 * 1024)) FROM generate_series(1, 9)"


@pytest.fixture
def seen_by(pair, parts):
    """``seen_by(url)``: a replica with that address, as this application would see it."""
    made = []

    def make(url):
        made.append(Replica(pair.settings, url, reading(parts.engines.engine)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_rel_07_a_replica_that_lacks_too_much_of_the_log_is_left_and_comes_back(
    alice, pair, look, log_lines, answered
):
    log_lines.clear()
    pair.pause()
    pair.on_primary(NINE_MIB)
    assert [state.fault for state in look()] == ["is 9 MiB behind"] * 2
    assert answered(lambda: alice.get("/projects")) == [("primary", "no_replica")]
    assert [line["why"] for line in log_lines.of("replica_left")] == ["is 9 MiB behind"] * 2
    pair.resume()
    assert [state.fault for state in look()] == ["", ""]
    assert answered(lambda: alice.get("/projects")) == IN_STEP
    assert len(log_lines.of("replica_joined")) == 2


def test_rel_07_a_replica_that_shows_what_is_too_old_is_left_and_comes_back(
    alice, pair, look, let_pass, answered
):
    """By our own clock: also when nothing reaches the replica, which then knows of no lag."""
    look()
    pair.pause()
    alice.creates("Reef")
    let_pass(MOST_SECONDS - 1)
    assert [state.fault for state in look()] == ["", ""]
    let_pass(2)
    assert [state.fault for state in look()] == ["shows nothing of the last 61 s"] * 2
    let_pass(3600)
    assert all(state.fault for state in look())
    pair.resume()
    assert [state.fault for state in look()] == ["", ""]
    assert answered(lambda: alice.get("/projects")) == IN_STEP


def test_where_nothing_is_written_nothing_is_late(look, let_pass):
    let_pass(3600)
    assert [(state.fault, state.seconds) for state in look()] == [("", 0.0)] * 2


def test_what_was_found_long_ago_says_nothing(replica, let_pass):
    let_pass(LOOK_LASTS)
    assert replica.state.fault == "was not looked at yet"


def test_a_mark_outlasts_every_replica_that_it_keeps_out():
    assert KEPT_SECONDS > MOST_SECONDS + LOOK_LASTS + PAUSE
    assert MOST_BYTES == 8 * 1024 * 1024


def test_the_primary_itself_is_no_replica(pair, seen_by):
    assert "is no standby" in seen_by(pair.settings.database_url.get_secret_value()).look().fault


def test_another_database_is_none_of_ours(pair, seen_by):
    """Its answers would be somebody else's."""
    [url] = pair.settings.database_replica_urls
    found = seen_by(pair.replica.admin_url.replace("postgresql:", "postgresql+psycopg2:")).look()
    assert found.fault == "is of another cluster, or another database"
    assert seen_by(url.get_secret_value()).look().fault == ""


def test_a_server_that_is_not_there(seen_by, dead_port):
    assert "cannot be asked" in seen_by(f"postgresql+psycopg2://a:b@127.0.0.1:{dead_port}/c").look().fault


def test_from_the_first_question_on_it_is_looked_at_without_being_told(pair, seen_by):
    [url] = pair.settings.database_replica_urls
    server = seen_by(url.get_secret_value())
    server.watch()
    until(lambda: not server.state.fault, "nobody looks")
    pair.pause()
    pair.on_primary(NINE_MIB)
    until(lambda: server.state.fault == "is 9 MiB behind", "nobody looks again")
    server.stop_watching()
    server.watch()
    assert not server._thread.is_alive(), "it was told to end"


def test_each_process_looks_by_itself_after_a_fork(seen_by, dead_port):
    """T21: a thread does not come along, and no connection may."""
    away = seen_by(f"postgresql+psycopg2://a:b@127.0.0.1:{dead_port}/c")
    away.watch()
    until(lambda: "cannot be asked" in away.state.fault, "nobody looks")
    child = os.fork()
    if child == 0:
        came_along = away._thread.is_alive()
        away.watch()
        os._exit(0 if away._thread.is_alive() and not came_along else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_d5_without_redis_the_primary_is_read_until_no_mark_can_be_missing(
    app, alice, pair, look, let_pass, answered, dead_port
):
    """Nobody can say who wrote what: neither while Redis is away nor for a while after it."""
    pair.resume()
    look()
    assert answered(lambda: alice.get("/projects")) == IN_STEP
    gate = app.extensions["holdfast"].gate
    there = gate._client
    gate._client = type(there).from_url(f"redis://127.0.0.1:{dead_port}/0")
    assert answered(lambda: alice.get("/projects")) == [("primary", "redis_away")]
    alice.post("/projects", json={"name": "Kelp"})
    gate._client = there
    pair.resume()
    let_pass(30)
    look()
    assert answered(lambda: alice.get("/projects")) == [("primary", "redis_away")]
    assert not gate.failing
    let_pass(KEPT_SECONDS)
    look()
    assert answered(lambda: alice.get("/projects")) == IN_STEP


def test_readiness_says_degraded_and_goes_on(app, pair, look, let_pass):
    """REL-05: a missing replica sends nobody away."""

    def ready():
        let_pass(KEPT_FOR)
        answer = ApiClient(app).get("//readyz")
        return answer.status_code, answer.json["checks"]["replicas"]

    assert ready() == (200, {"status": "ok", "detail": "1 of 1 in the rotation"})
    pair.pause()
    pair.on_primary(NINE_MIB)
    look()
    told = f"0 of 1 in the rotation: {pair.name} is 9 MiB behind"
    assert ready() == (200, {"status": "degraded", "detail": told})


def test_figures_tell_how_each_replica_is(app, pair, look):
    pair.pause()
    pair.on_primary(NINE_MIB)
    look()
    token = pair.settings.ops_token.get_secret_value()
    text = ApiClient(app).get("//metrics", headers={"Authorization": f"Bearer {token}"}).text
    assert f'holdfast_replica_in_rotation{{replica="{pair.name}"}} 0.0' in text
    [lag] = [
        line
        for line in text.splitlines()
        if line.startswith(f'holdfast_replica_lag_bytes{{replica="{pair.name}"')
    ]
    assert float(lag.rpartition(" ")[2]) > MOST_BYTES


def test_without_replicas_nobody_asks_redis_for_marks(shared_app):
    parts = shared_app.extensions["holdfast"]
    assert parts.engines.replicas is None
    assert not [hook for hook in shared_app.before_request_funcs[None] if hook.__module__ == "app.web.asking"]


def test_with_replicas_the_asker_is_known(app):
    assert [hook for hook in app.before_request_funcs[None] if hook.__module__ == "app.web.asking"]
    assert len(servers(app)) == 1
