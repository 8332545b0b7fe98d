"""`flask jobs`: what waits, runs and failed for good; tried again, cancelled; no secret is shown, since jobs hold none."""

import json

import pytest

from app.core.job_admin import STATES
from app.registration.service import SEND_VERIFICATION

REGISTRATION = {"email": "grace@example.com", "password": "sea otters hold hands", "display_name": "Grace"}


@pytest.fixture
def uow(parts):
    return parts.uow


class Breaks:
    """A handler that fails until it is mended."""

    broken = True
    calls = 0

    def __call__(self, **_arguments):
        self.calls += 1
        if self.broken:
            raise OSError


@pytest.fixture
def breaks():
    return Breaks()


@pytest.fixture
def dead(queue, uow, breaks, sql):
    """The id of a job that failed for good; another one waits for the heavy lane."""
    queue.register("test.bad", breaks, attempts=1)
    with uow:
        queue.defer("test.bad", id="1")
    queue.work()
    queue.register("test.long", breaks, queue="heavy")
    with uow:
        queue.defer("test.long", id="2")
    [(number,)] = sql("SELECT id FROM procrastinate_jobs WHERE status = 'failed'")
    return number


def listed(flask, *words):
    return json.loads(flask("jobs", "list", "--json", *words).output)


def test_a_table_for_people(flask, dead):
    lines = flask("jobs", "list").output.splitlines()
    assert lines[0].split() == ["ID", "STATE", "QUEUE", "KIND", "ATTEMPTS", "AGE", "DUE"]
    waits, failed = (line.split() for line in lines[1:])
    assert waits[1:5] + waits[-1:] == ["waiting", "heavy", "test.long", "0", "now"]
    assert failed[:5] == [str(dead), "failed", "default", "test.bad", "1"]


def test_nothing_is_a_table_without_lines(flask):
    assert len(flask("jobs", "list").output.splitlines()) == 1
    assert listed(flask) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["test.long", "test.bad"]),
        (("--state", "failed"), ["test.bad"]),
        (("--state", "running"), []),
        (("--queue", "heavy"), ["test.long"]),
        (("--kind", "test.bad"), ["test.bad"]),
        (("--kind", "test.bad", "--state", "waiting"), []),
        (("--most", "1"), ["test.long"]),
    ],
)
def test_filters(flask, dead, words, found):
    assert [each["kind"] for each in listed(flask, *words)] == found


def test_a_line_for_programs(flask, dead):
    [line] = listed(flask, "--state", "failed")
    assert line.pop("age") >= 0
    # Whatever this thread did before caused it.
    line["arguments"].pop("caused_by")
    assert line == {
        "id": dead, "kind": "test.bad", "queue": "default", "state": "failed", "attempts": 1, "scheduled_at": None,
        "arguments": {"id": "1"},
    }  # fmt: skip


def test_what_waits_for_its_next_try_says_when(flask, queue, uow, breaks):
    queue.register("test.bad", breaks)
    with uow:
        queue.defer("test.bad", id="1")
    queue.work()
    [line] = listed(flask)
    assert (line["state"], line["attempts"]) == ("waiting", 1)
    assert line["scheduled_at"][:19] in flask("jobs", "list").output


@pytest.mark.parametrize("word", ["done", "todo"])
def test_a_state_that_there_is_not_is_refused(flask, word):
    assert flask("jobs", "list", "--state", word).exit_code == 2


def test_our_words_are_the_queues_own_states(sql):
    theirs = {row[0] for row in sql("SELECT unnest(enum_range(NULL::procrastinate_job_status))::text")}
    assert theirs - set(STATES.values()) == {"succeeded", "aborting"}, (
        "the first is deleted, the other unused"
    )


def test_one_with_its_history(flask, dead):
    shown = flask("jobs", "show", dead).output
    assert "kind          test.bad\n" in shown
    assert 'argument      id = "1"\n' in shown
    told = json.loads(flask("jobs", "show", dead, "--json").output)
    assert [each["event"] for each in told["history"]] == ["deferred", "started", "failed"]


def test_sec_57_of_a_real_job_neither_address_nor_code_nor_link_is_shown(flask, anonymous, sql, mails):
    assert anonymous.post("/auth/register", json=REGISTRATION).status_code == 202
    [(number,)] = sql("SELECT id FROM procrastinate_jobs WHERE task_name = %s", (SEND_VERIFICATION,))
    shown = flask("jobs", "show", number).output + flask("jobs", "list", "--json").output
    [mail] = mails(REGISTRATION["email"])
    for secret in (REGISTRATION["email"], REGISTRATION["password"], mail.code, mail.token):
        assert secret
        assert secret not in shown


def test_a_dead_one_tried_again_is_done_with_all_its_tries(flask, queue, dead, breaks):
    result = flask("jobs", "retry", dead)
    assert (result.exit_code, result.output) == (0, f"Job {dead} waits again.\n")
    [again] = [each for each in listed(flask) if each["id"] == dead]
    assert (again["state"], again["attempts"]) == ("waiting", 0)
    breaks.broken = False
    queue.work()
    assert (breaks.calls, listed(flask)) == (3, [])


def test_all_dead_ones_tried_again(flask, dead, queue, uow):
    with uow:
        queue.defer("test.bad", id="3")
    queue.work()
    assert flask("jobs", "retry", "--all-failed").output == "2 wait again.\n"
    assert listed(flask, "--state", "failed") == []
    assert flask("jobs", "retry", "--all-failed").output == "0 wait again.\n"


def test_a_periodic_one_whose_like_waits_stays_where_it_is(flask, queue, breaks, sql):
    queue.register("test.hourly", breaks, attempts=1, cron="0 0 1 1 *")
    for _ in range(2):
        queue.defer_now("test.hourly")
        queue.work()
    older, newer = (
        row[0] for row in sql("SELECT id FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id")
    )
    assert flask("jobs", "retry", "--all-failed").output == "1 wait again.\n"
    assert [(each["id"], each["state"]) for each in listed(flask)] == [(newer, "waiting"), (older, "failed")]
    result = flask("jobs", "retry", older)
    assert (result.exit_code, "waits already" in result.output) == (1, True)


def test_which_one_is_to_be_tried_again_is_said(flask, dead):
    assert flask("jobs", "retry").exit_code == 2
    assert flask("jobs", "retry", dead, "--all-failed").exit_code == 2


def test_cancelled_is_not_done(flask, queue, dead, breaks):
    [waits] = listed(flask, "--state", "waiting")
    for number in (waits["id"], dead):
        assert flask("jobs", "cancel", number).output == f"Job {number} is cancelled.\n"
    queue.work()
    assert breaks.calls == 1
    assert {each["state"] for each in listed(flask)} == {"cancelled"}


def test_one_that_runs_is_left_alone(flask, dead, sql):
    sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", (dead,))
    for word in ("cancel", "retry"):
        result = flask("jobs", word, dead)
        assert (result.exit_code, result.output.startswith(f"Error: job {dead} ")) == (1, True)
    assert [each["state"] for each in listed(flask, "--kind", "test.bad")] == ["running"]


@pytest.mark.parametrize("word", ["show", "retry", "cancel"])
def test_one_that_is_not_there(flask, word):
    result = flask("jobs", word, 999_999)
    assert (result.exit_code, result.output) == (
        1, "Error: there is no job 999999: done ones are deleted at once\n",
    )  # fmt: skip
