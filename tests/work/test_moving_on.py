"""What handlers say may be said twice, late, or of work that is gone: nothing goes backwards."""

# ruff: noqa: PT012 - the block under test has more than one line

import pytest

from app.core.errors import Code
from app.core.ids import new_id

FAILED = (Code.internal_error, "It could not be made.")


def test_begun_twice_is_begun_once_and_loses_nothing(alice, work, begun, sees):
    item_id = begun(alice, total=8)
    work.progress(item_id, 5)
    before = sees(alice, item_id)
    work.begin(item_id, alice.user.id, "exports.build", 8)
    assert sees(alice, item_id) == before


def test_what_failed_may_begin_afresh(alice, work, begun, sees, sql):
    item_id = begun(alice, total=8)
    work.progress(item_id, 5)
    work.fail(item_id, *FAILED)
    work.begin(item_id, alice.user.id, "exports.build", 9)
    shown = sees(alice, item_id)
    assert (shown["state"], shown["done"], shown["total"], shown["problem"]) == ("queued", 0, 9, None)
    assert sql("SELECT finished_at, problem IS NULL FROM work_items") == [(None, True)]


def test_sec_39_nobody_takes_over_the_id_of_somebody_elses_work(alice, bob, work, begun, sees):
    item_id = begun(alice)
    work.fail(item_id, *FAILED)
    work.begin(item_id, bob.user.id, "exports.build")
    assert sees(alice, item_id)["state"] == "failed"
    assert bob.get(f"/jobs/{item_id}").status_code == 404


def test_a_second_run_begins_at_the_front_and_the_number_does_not_fall(alice, work, begun, sees):
    item_id = begun(alice, total=8)
    for done, shown in ((5, 5), (0, 5), (4, 5), (6, 6)):
        work.progress(item_id, done)
        assert sees(alice, item_id)["done"] == shown


def test_what_is_ready_stays_ready(alice, work, begun, sees):
    item_id = begun(alice, total=8)
    work.finish(item_id, "/first")
    before = sees(alice, item_id)
    work.progress(item_id, 2)
    work.fail(item_id, *FAILED)
    work.finish(item_id, "/second")
    work.begin(item_id, alice.user.id, "exports.build")
    assert sees(alice, item_id) == before


def test_a_slow_run_of_what_was_given_up_says_nothing_more(alice, work, begun, sees):
    item_id = begun(alice)
    work.fail(item_id, *FAILED)
    before = sees(alice, item_id)
    work.progress(item_id, 7)
    assert sees(alice, item_id) == before


def test_a_run_that_an_operator_had_tried_again_ends_ready(alice, work, begun, sees):
    item_id = begun(alice)
    work.fail(item_id, *FAILED)
    work.finish(item_id, "/result")
    assert (sees(alice, item_id)["state"], sees(alice, item_id)["problem"]) == ("ready", None)


def test_of_work_that_is_gone_nothing_is_said(work, sql):
    gone = new_id()
    work.progress(gone, 1, 2)
    work.fail(gone, *FAILED)
    work.finish(gone, "/result")
    assert sql("SELECT count(*) FROM work_items") == [(0,)]


def test_it_is_begun_if_and_only_if_the_change_is_committed(alice, work, parts, sql):
    with pytest.raises(ZeroDivisionError), parts.uow:
        work.begin(new_id(), alice.user.id, "exports.build")
        1 / 0  # noqa: B018 - it raises
    assert sql("SELECT count(*) FROM work_items") == [(0,)]


def test_saying_how_far_it_is_costs_one_statement(alice, work, begun, count_queries):
    item_id = begun(alice)
    with count_queries() as seen:
        work.progress(item_id, 1)
    assert len([each for each in seen if "work_items" in each]) == len(seen) == 1


def test_of_many_who_report_at_once_the_highest_number_stands(alice, work, begun, sees, at_once):
    item_id = begun(alice, total=40)
    at_once(8, lambda number: [work.progress(item_id, number * 5 + step) for step in range(5)])
    assert sees(alice, item_id)["done"] == 39
