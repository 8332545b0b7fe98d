"""What `benchmarks.memory` says of its figures."""

from benchmarks.memory import Held, judged


def grown(*mib, errors=0):
    return [Held(number * 1000, each, 500.0, errors) for number, each in enumerate(mib)]


def test_a_worker_that_settles_is_well():
    assert judged(grown(65, 90, 95, 96, 96)) == []


def test_a_worker_that_grows_is_not():
    assert judged(grown(65, 80, 90, 100, 110)) == ["20.0 MiB more than at half of the requests"]
    assert judged(grown(65, 119, 121, 121, 121, errors=2)) == ["121 MiB, more than 120", "2 errors"]
