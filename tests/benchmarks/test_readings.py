"""What the figures of `make bench` are made of."""

from benchmarks.load import reading_of
from benchmarks.reading import Measured, Reading, Readings
from benchmarks.tables import aligned, figure, ratios, tables

NAMES = ("get", "304")


def one(target, scenario, answered, *, errors=0, cpu=1.0, p99=5.0, when=(0, 0)):
    return Measured(
        target, scenario, *when, Reading(answered, errors, 2.0, 1.0, p99), cpu, 0.5, 0.0, 0.9, 60.0
    )


def test_the_generator_s_line_is_read():
    assert reading_of("noise\nREADING 1000 10 7 2 1 2.000000 1.500 9.250\n") == Reading(
        983, 13, 2.0, 1.5, 9.25, 7
    )


def test_a_generator_that_says_nothing_gives_nothing():
    assert reading_of("Running 1s test\n") is None


def test_a_median_is_of_all_rounds():
    readings = Readings(one("floor", "get", answered) for answered in (100, 900, 200))
    assert readings.median("floor", "get", lambda each: each.rate) == 100.0


def test_a_scenario_with_errors_has_no_figures():
    readings = Readings([one("floor", "get", 100), one("floor", "get", 100, errors=1)])
    assert readings.median("floor", "get", lambda each: each.rate) is None
    assert readings.errors("floor", "get") == 1


def test_cpu_is_counted_for_a_thousand_requests():
    assert one("floor", "get", 400, errors=100, cpu=2.0).cpu_per_1000 == 4.0
    assert one("floor", "get", 400, errors=100).engines_per_1000 == 1.0


def test_a_ratio_above_one_is_better_whatever_is_measured():
    readings = Readings(
        [
            one("holdfast", "get", 600, cpu=1.0, p99=10.0), one("floor", "get", 1200, cpu=1.0, p99=5.0),
            one("django", "get", 200, cpu=1.0, p99=5.0), one("fastapi", "get", 400, cpu=2.0, p99=20.0),
            one("holdfast", "304", 900),
        ]
    )  # fmt: skip
    found = dict(ratios(readings, ["holdfast", "floor", "django", "fastapi"], NAMES))
    assert found["holdfast / best ORM peer, rate"] == [1.5, None]
    assert found["holdfast / best ORM peer, CPU"] == [3.0, None]
    assert found["holdfast / best ORM peer, p99"] == [0.5, None]
    assert found["holdfast / floor, rate"] == [0.5, None]
    assert found["holdfast / itself, get"] == [None, 1.5]


def test_a_ratio_is_of_readings_that_were_taken_one_after_the_other():
    """The machine became three times as fast while they were measured, and one of the floor's readings is missing."""
    ours = [one("holdfast", "get", 100, when=(0, 0)), one("holdfast", "get", 300, when=(0, 1))]
    more = [one("holdfast", "get", 330, when=(1, 0)), one("holdfast", "get", 300, when=(1, 1))]
    floor = [
        one("floor", "get", rate, when=when) for rate, when in ((50, (0, 0)), (150, (0, 1)), (150, (1, 0)))
    ]
    readings = Readings([*ours, *more, *floor])
    rate = readings.ratio(("holdfast", "get"), ("floor", "get"), lambda each: each.rate, most=True)
    assert rate == 2.0


def test_no_ratio_is_told_of_readings_with_errors():
    readings = Readings([one("holdfast", "get", 100, errors=1), one("floor", "get", 100)])
    assert readings.ratio(("holdfast", "get"), ("floor", "get"), lambda each: each.rate, most=True) is None


def test_tables_say_nothing_where_nothing_was_measured():
    told = tables(Readings([one("floor", "get", 3000)]), ["floor"], NAMES)
    assert "floor              1,500    -" in told
    assert "ratios" not in told


def test_figures_have_three_digits():
    assert [figure(each) for each in (None, 1234.5, 12.34, 1.234)] == ["-", "1,234", "12.3", "1.23"]
    assert aligned("a", ["b"], [("long name", [1.0])]).splitlines() == [
        "  a             b",
        "  long name  1.00",
    ]
