"""Few places and many who want them: nobody takes them all (D9)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.web.fair_share import FairQueue

PLACES, WAITING = 8, 16
HOLDERS = st.sampled_from(["alice", "bob", "charlie"])


def entered(queue, *holders):
    return [queue.enter(holder, holder) for holder in holders]


def test_d9_one_alone_gets_half_and_the_next_is_at_work_at_once():
    queue = FairQueue(PLACES, WAITING)
    assert all(entered(queue, *["alice"] * 8))
    assert queue.begin() == ["alice"] * 4
    assert entered(queue, "bob") == [True]
    assert queue.begin() == ["bob"]


def test_d9_one_alone_fills_half_of_the_line_and_others_still_find_a_place_in_it():
    queue = FairQueue(1, 4)
    begun = []
    for holder in ("alice", "alice", "alice", "alice", "bob"):
        begun += entered(queue, holder), queue.begin()
    assert begun == [[True], ["alice"], [True], [], [True], [], [False], [], [True], []]


def test_who_has_least_at_work_is_next_and_of_these_who_waits_longest():
    queue = FairQueue(2, WAITING)
    entered(queue, "alice")
    assert queue.begin() == ["alice"]
    entered(queue, "alice", "alice", "bob", "charlie")
    assert queue.begin() == ["bob"]
    queue.leave("alice")
    assert queue.begin() == ["alice"]
    queue.leave("bob")
    assert queue.begin() == ["charlie"]


def test_what_turns_out_to_be_anothers_counts_for_him_while_he_has_a_place():
    queue = FairQueue(4, WAITING)
    entered(queue, "a token", "another", "a third")
    assert len(queue.begin()) == 3
    claimed = [queue.claim(token, "alice") for token in ("a token", "another", "a third")]
    assert claimed == [True, True, False]
    queue.leave("alice")
    assert queue.claim("a third", "alice")


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "claim"]), HOLDERS, HOLDERS), max_size=200))
def test_whatever_happens_no_place_is_lost_and_none_is_given_twice(moves):
    queue = FairQueue(PLACES, WAITING)
    at_work, waiting = Counter(), Counter()
    for move, holder, other in moves:
        if move == "enter":
            waiting[holder] += queue.enter(holder, holder)
        elif move == "leave" and at_work[holder]:
            at_work[holder] -= 1
            queue.leave(holder)
        elif move == "claim" and at_work[holder] and queue.claim(holder, other):
            at_work[holder] -= 1
            at_work[other] += 1
        for begun in queue.begin():
            waiting[begun] -= 1
            at_work[begun] += 1
        assert at_work.total() <= PLACES
        assert waiting.total() <= WAITING
        assert all(at_work[name] >= PLACES - at_work.total() for name in +waiting), (
            "who waits has had his share"
        )
    for name in at_work.elements():
        queue.leave(name)
    rest = queue.begin()
    while rest:
        waiting.subtract(rest)
        for name in rest:
            queue.leave(name)
        rest = queue.begin()
    assert not +waiting, "everybody's turn comes"
