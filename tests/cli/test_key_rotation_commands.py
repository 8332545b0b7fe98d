"""`flask keys rotate`, `status`, `reseal`: a ring moves on, and one knows when a key is free (SEC-24, SEC-59)."""

import base64

import pytest

from app.cli.keys import RINGS
from app.core.keys import KeyRing, fresh_ring
from app.second_factor.jobs import SecondFactorJobs
from tests.fixtures.accounts import signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.command_line import command_line
from tests.fixtures.factors import begins, completes, enrols
from tests.fixtures.letters import do_jobs, letters

__all__ = ["do_jobs", "enrols", "letters"]
NEW = fresh_ring("k2", bytes(range(100, 132)))


def held(parts, ring):
    return getattr(parts.settings, ring.lower()).get_secret_value()


def with_ring(parts, ring):
    """Settings with a second key in front of that ring."""
    return {ring.lower(): f"{NEW},{held(parts, ring)}"}


@pytest.mark.parametrize("ring", RINGS)
def test_rotate_prints_the_line_with_a_fresh_key_in_front(flask, parts, ring):
    result = flask("keys", "rotate", ring)
    assert result.exit_code == 0
    name, _, line = result.stdout.strip().partition("=")
    assert name == ring
    assert KeyRing.parse(line).ids == ["k2", *KeyRing.parse(held(parts, ring)).ids]
    assert line.endswith(held(parts, ring))


@pytest.mark.parametrize(("stage", "ids"), [("add", ["k1", "k2"]), ("now", ["k2", "k1"])])
def test_stages(flask, stage, ids):
    line = flask("keys", "rotate", "SIGNING_KEYS", "--stage", stage).stdout.strip().partition("=")[2]
    assert KeyRing.parse(line).ids == ids


def test_use_and_retire(make_app, parts):
    added = f"{held(parts, 'SIGNING_KEYS')},{NEW}"
    used = command_line(make_app(signing_keys=added))("keys", "rotate", "SIGNING_KEYS", "--stage", "use")
    assert used.stdout.strip() == f"SIGNING_KEYS={NEW},{held(parts, 'SIGNING_KEYS')}"
    retired = command_line(make_app(signing_keys=f"{NEW},{held(parts, 'SIGNING_KEYS')}"))(
        "keys", "rotate", "SIGNING_KEYS", "--stage", "retire"
    )
    assert retired.stdout.strip() == f"SIGNING_KEYS={NEW}"


def test_it_is_on_record_without_any_key(flask, sql):
    line = flask("keys", "rotate", "SECRET_KEYS", "--stage", "add").stdout
    ((kind, data, whole),) = sql("SELECT kind, data, e::text FROM audit_events e")
    assert (kind, data) == ("keys.rotated", {"ring": "SECRET_KEYS", "stage": "add", "key_id": "k2"})
    secret = line.strip().rpartition(":")[2]
    assert len(base64.b64decode(secret)) == 32
    assert secret not in whole


def test_a_step_that_cannot_be_is_told_and_leaves_no_record(flask, sql):
    result = flask("keys", "rotate", "SIGNING_KEYS", "--stage", "retire")
    assert result.exit_code == 1
    assert "k1 is the current key" in result.output
    assert sql("SELECT count(*) FROM audit_events") == [(0,)]
    assert flask("keys", "rotate", "OPS_TOKEN").exit_code == 2


def test_a_key_that_rows_need_is_not_retired_unless_forced(make_app, parts, alice, sql):
    ring = with_ring(parts, "PASSWORD_PEPPERS")
    command = command_line(make_app(**ring))
    refused = command("keys", "rotate", "PASSWORD_PEPPERS", "--stage", "retire", "--id", "k1")
    assert refused.exit_code == 1
    assert "k1 is still needed by 1 rows of users" in refused.output
    assert sql("SELECT count(*) FROM audit_events") == [(0,)]
    forced = command("keys", "rotate", "PASSWORD_PEPPERS", "--stage", "retire", "--id", "k1", "--force")
    assert forced.stdout.strip() == f"PASSWORD_PEPPERS={NEW}"


def test_sec_59_signing_in_frees_the_old_pepper(make_app, parts, alice):
    other = make_app(**with_ring(parts, "PASSWORD_PEPPERS"))
    command = command_line(other)
    assert "k1: known; 1 in users" in command("keys", "status").output
    assert signs_in(ApiClient(other), alice.email).status_code == 200
    told = command("keys", "status").output
    assert "k2: current; 1 in users" in told
    assert "k1: known; no rows" in told
    assert command("keys", "rotate", "PASSWORD_PEPPERS", "--stage", "retire").exit_code == 0


def test_status_shows_every_table_and_no_key(flask, parts, alice, anonymous, enrols):
    enrols(alice)
    anonymous.post("/auth/forgot-password", json={"email": alice.email})
    told = flask("keys", "status").output
    for ring in RINGS:
        assert held(parts, ring).partition(":")[2] not in told
    assert "1 in totp_factors" in told
    assert "1 in password_resets" in told
    assert "k1: current; 1 in users" in told
    assert "access tokens, 600 seconds" in told


def test_a_key_that_rows_need_and_nobody_has_is_told(make_app, alice, enrols):
    enrols(alice)
    told = command_line(make_app(secret_keys=NEW))("keys", "status").output
    assert "k1: NOT IN THE RING, nothing of it can be used; 1 in totp_factors" in told


def key_ids(sql):
    return {row[0] for row in sql("SELECT key_id FROM totp_factors")}


def test_sec_24_reseal_moves_secrets_to_the_current_key_and_twice_is_once(
    make_app, parts, alice, bob, enrols, sql
):
    codes = {person.email: enrols(person) for person in (alice, bob)}
    other = make_app(**with_ring(parts, "SECRET_KEYS"))
    command = command_line(other)
    assert "2 secrets were sealed anew" in command("keys", "reseal").output
    assert key_ids(sql) == {"k2"}
    sealed = sql("SELECT user_id, sealed FROM totp_factors ORDER BY user_id")
    assert "0 secrets were sealed anew" in command("keys", "reseal").output
    assert sql("SELECT user_id, sealed FROM totp_factors ORDER BY user_id") == sealed
    only_new = ApiClient(make_app(secret_keys=NEW))
    only_new.app.extensions["holdfast"].refresh_clock(force=True)
    for email, app in codes.items():
        assert completes(only_new, begins(only_new, email), app.code()).status_code == 200


def test_reseal_goes_on_where_it_stopped(make_app, parts, app, alice, bob, charlie, enrols, sql, monkeypatch):
    for person in (alice, bob, charlie):
        enrols(person)
    monkeypatch.setattr("app.second_factor.jobs.BATCH", 1)
    service = make_app(**with_ring(parts, "SECRET_KEYS")).extensions["holdfast"].services[SecondFactorJobs]

    def stop(done):
        if done.moved == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.reseal(stop)
    assert sorted(row[0] for row in sql("SELECT key_id FROM totp_factors")) == ["k1", "k2", "k2"]
    assert service.reseal().moved == 1
    assert key_ids(sql) == {"k2"}


def test_a_secret_under_a_lost_key_is_told_and_stops_nobody(make_app, parts, alice, bob, enrols, sql):
    enrols(alice)
    enrols(bob)
    sql("UPDATE totp_factors SET key_id = 'gone' WHERE user_id = %s", (str(alice.user.id),))
    result = command_line(make_app(**with_ring(parts, "SECRET_KEYS")))("keys", "reseal")
    assert result.exit_code == 1
    assert "1 secrets were sealed anew" in result.output
    assert "1 secrets are under a key that is not in SECRET_KEYS" in result.output
    assert key_ids(sql) == {"gone", "k2"}


def test_the_worker_can_do_it(make_app, parts, alice, enrols, sql):
    from app.cli.worker import run

    enrols(alice)
    sql("DELETE FROM procrastinate_jobs")
    other = make_app(**with_ring(parts, "SECRET_KEYS"))
    command_line(other)("keys", "reseal", "--by-worker")
    mine = other.extensions["holdfast"]
    run(mine.settings, mine.jobs, wait=False)
    assert key_ids(sql) == {"k2"}


def test_somebody_who_signs_in_meanwhile_is_not_disturbed(make_app, parts, alice, enrols, at_once):
    """The same row at once: proving a code and sealing its secret anew."""
    app = enrols(alice)
    other = make_app(**with_ring(parts, "SECRET_KEYS"))
    other.extensions["holdfast"].refresh_clock(force=True)
    client = ApiClient(other)
    token = begins(client, alice.email)
    reseal = other.extensions["holdfast"].services[SecondFactorJobs].reseal
    proved, done = at_once(2, lambda n: completes(client, token, app.code()) if n == 0 else reseal())
    assert (proved.status_code, done.moved) == (200, 1)
