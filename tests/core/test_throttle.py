"""Budgets in PostgreSQL: windows, peeks, refunds, and many at once (SEC-13, SEC-49)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest

from app.core.errors import AppError, Code
from app.core.throttle import Budget, RateLimitedError, Throttle

FIVE = Budget("five", 5, 300)
TEN = Budget("ten", 10, 60)


@pytest.fixture
def throttle(parts):
    return parts.services[Throttle]


def spent(throttle, budget, subject="alice"):
    return throttle.peek(budget, subject).hits


def refused(throttle, *hits):
    with pytest.raises(RateLimitedError) as error:
        throttle.spend(hits)
    return error.value


@pytest.mark.parametrize(
    ("rate", "factor", "expected"),
    [
        ("10/300", 1, (10, 300)),
        ("10/300", 20, (200, 300)),
        ("10/300", 0.25, (2, 300)),
        ("1/60", 0.01, (1, 60)),
    ],
)
def test_a_budget_is_read_from_a_setting(rate, factor, expected):
    budget = Budget.of("name", rate, factor)
    assert (budget.name, budget.quota, budget.seconds) == ("name", *expected)


def test_so_many_and_not_one_more(throttle):
    for number in range(1, 6):
        throttle.spend([(FIVE, "alice")])
        assert spent(throttle, FIVE) == number
    error = refused(throttle, (FIVE, "alice"))
    assert (error.code, error.budget) == (Code.rate_limited, FIVE)
    assert 0 < error.reset == error.retry_after == error.extra["retry_after"] <= 300


def test_a_refused_hit_counts_all_the_same(throttle):
    for _ in range(5):
        throttle.spend([(FIVE, "alice")])
    for _ in range(3):
        refused(throttle, (FIVE, "alice"))
    assert spent(throttle, FIVE) == 8


def test_subjects_and_budgets_are_apart(throttle):
    for _ in range(5):
        throttle.spend([(FIVE, "alice")])
    throttle.spend([(FIVE, "bob"), (TEN, "alice")])
    assert (spent(throttle, FIVE, "bob"), spent(throttle, TEN)) == (1, 1)
    assert spent(throttle, FIVE, "nobody") == 0


def test_a_name_and_a_subject_cannot_be_cut_otherwise(throttle):
    throttle.spend([(Budget("ab", 1, 60), "c")])
    throttle.spend([(Budget("a", 1, 60), "bc")])
    throttle.spend([(Budget("abc", 1, 60), "")])


def test_a_window_begins_with_the_first_hit_and_ends_by_itself(throttle, advance):
    throttle.spend([(FIVE, "alice")])
    advance(seconds=290)
    for _ in range(4):
        throttle.spend([(FIVE, "alice")])
    assert refused(throttle, (FIVE, "alice")).reset <= 10
    advance(seconds=11)
    assert spent(throttle, FIVE) == 0
    throttle.spend([(FIVE, "alice")])
    assert spent(throttle, FIVE) == 1


def test_hits_do_not_move_the_end_of_a_window(throttle, advance):
    """A fixed end: who keeps trying is not locked out for ever."""
    for _ in range(5):
        throttle.spend([(FIVE, "alice")])
    for _ in range(3):
        advance(seconds=99)
        error = refused(throttle, (FIVE, "alice"))
    assert error.reset <= 5
    advance(seconds=5)
    throttle.spend([(FIVE, "alice")])


def test_of_several_spent_budgets_the_one_that_is_closed_longest_is_told(throttle):
    short, long = Budget("short", 1, 60), Budget("long", 1, 3600)
    throttle.spend([(short, "alice"), (long, "alice")])
    for hits in ([(short, "alice"), (long, "alice")], [(long, "alice"), (short, "alice")]):
        assert refused(throttle, *hits).budget == long


def test_all_budgets_of_a_call_count_even_when_one_is_spent(throttle):
    throttle.spend([(Budget("one", 1, 60), "alice"), (TEN, "alice")])
    refused(throttle, (Budget("one", 1, 60), "alice"), (TEN, "alice"))
    assert spent(throttle, TEN) == 2


def test_a_call_that_names_a_subject_twice_hits_it_once(throttle):
    throttle.spend([(FIVE, "alice"), (FIVE, "alice")])
    assert spent(throttle, FIVE) == 1


def test_a_weight_counts_as_so_many(throttle):
    throttle.spend([(FIVE, "alice")], weight=3)
    throttle.spend([(FIVE, "alice")], weight=2)
    assert spent(throttle, FIVE) == 5
    refused(throttle, (FIVE, "alice"))


def test_a_peek_spends_nothing_and_says_when_the_next_hit_is_too_many(throttle):
    for number in range(5):
        state = throttle.peek(FIVE, "alice")
        assert (state.hits, state.exceeded, state.exceeded_next) == (number, False, False)
        throttle.spend([(FIVE, "alice")])
    state = throttle.peek(FIVE, "alice")
    assert (state.hits, state.exceeded, state.exceeded_next) == (5, False, True)
    assert 0 < state.reset <= 300


def test_a_hit_is_committed_whatever_its_caller_does_next(throttle, uow):
    """Counting comes before what it guards; a refusal later must not give the hit back."""
    throttle.spend([(FIVE, "alice")])
    with pytest.raises(AppError), uow:
        raise AppError(Code.invalid_credentials, "no")
    assert spent(throttle, FIVE) == 1


def test_count_belongs_to_the_callers_transaction(throttle, uow):
    with uow:
        state = throttle.count(FIVE, "alice")
    assert (state.hits, spent(throttle, FIVE)) == (1, 1)
    with pytest.raises(ZeroDivisionError), uow:
        throttle.count(FIVE, "alice")
        raise ZeroDivisionError
    assert spent(throttle, FIVE) == 1


def test_a_refund_gives_hits_back_and_never_below_none(throttle, uow):
    throttle.spend([(FIVE, "alice"), (TEN, "alice")])
    throttle.spend([(FIVE, "alice")])
    for expected in ((1, 0), (0, 0), (0, 0)):
        with uow:
            throttle.refund([(FIVE, "alice"), (TEN, "alice"), (TEN, "nobody")])
        assert (spent(throttle, FIVE), spent(throttle, TEN)) == expected


def test_forgetting_starts_a_budget_afresh(throttle, uow):
    for _ in range(5):
        throttle.spend([(FIVE, "alice")])
    throttle.spend([(FIVE, "bob")])
    with uow:
        throttle.forget(FIVE, "alice")
    assert (spent(throttle, FIVE), spent(throttle, FIVE, "bob")) == (0, 1)


def test_the_table_names_nobody(throttle, sql):
    throttle.spend([(FIVE, "alice@example.com"), (FIVE, "203.0.113.7")])
    rows = sql("SELECT key FROM throttle_counters")
    assert {len(bytes(row[0])) for row in rows} == {16}
    assert not [row for row in rows if b"alice" in bytes(row[0]) or b"203" in bytes(row[0])]


def test_50_at_once_never_exceed(throttle, at_once):
    """SEC-49: the ten who got through are ten, and every hit is counted."""
    answers = at_once(50, lambda _number: throttle.spend([(TEN, "alice")]))
    assert answers.count(None) == 10
    assert {type(answer) for answer in answers if answer is not None} == {RateLimitedError}
    assert spent(throttle, TEN) == 50


def test_many_at_once_with_the_same_subjects_in_any_order_never_deadlock(throttle, at_once):
    budgets = [Budget(f"budget {number}", 1000, 60) for number in range(6)]

    def work(number):
        hits = [(budget, "alice") for budget in budgets]
        turned = hits[number % 6 :] + hits[: number % 6]
        for _ in range(4):
            throttle.spend(turned if number % 2 else turned[::-1])

    assert at_once(12, work) == [None] * 12
    assert [spent(throttle, budget) for budget in budgets] == [48] * 6


def test_spending_and_refunding_at_once_never_deadlock(throttle, uow, at_once):
    hits = [(FIVE, "alice"), (TEN, "alice"), (TEN, "bob")]
    plenty = [(Budget(budget.name, 1000, 60), subject) for budget, subject in hits]

    def work(number):
        for _ in range(5):
            if number % 2:
                throttle.spend(plenty)
            else:
                with uow:
                    throttle.refund(plenty[::-1])

    assert at_once(8, work) == [None] * 8


def test_the_sweep_deletes_windows_that_ended(throttle, uow, advance, sql):
    throttle.spend([(TEN, "alice"), (FIVE, "alice")])
    advance(seconds=61)
    with uow:
        assert throttle.sweep() == 1
    assert sql("SELECT count(*) FROM throttle_counters") == [(1,)]
    assert spent(throttle, FIVE) == 1
