"""500 generated requests within the tests, sound and unsound; `make fuzz` makes 10,000 against the running service."""

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from dev.places import ROOT
from tests.fixtures.people import make_person
from tests.fuzz.refusals import ADMINISTRATION, ENDING, operation_id

EACH = 3
WANTED = 500


def takes_nothing(operation):
    """Where nothing is sent, nothing can be wrong with it."""
    return not list(operation.iter_parameters()) and not operation.body


@pytest.mark.timeout(300)  # half a minute where nobody else works; many times that on a busy machine
def test_generated_requests_meet_no_surprise(app, alice, ada, make_app):
    """No 5xx, no undocumented status, no answer beside its schema; unsound data are refused, sound data taken."""
    service = make_app(rate_limit_factor=1_000_000)
    config = schemathesis.Config.from_path(ROOT / "schemathesis.toml")
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", service, config=config)
    asked = []

    def who(name):
        if name in ADMINISTRATION:
            return ada
        return make_person(app, f"Dana{len(asked)}") if name in ENDING else alice

    def fuzz(operation, mode):
        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EACH, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def one(case):
            person = who(operation_id(case))
            case.call_and_validate(headers={"Authorization": f"Bearer {person.token}"})
            asked.append(operation_id(case))

        with contextlib.suppress(Unsatisfiable) if takes_nothing(operation) else contextlib.nullcontext():
            one()

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        for mode in GenerationMode:
            fuzz(operation, mode)
    assert set(asked) == {operation.definition.raw["operationId"] for operation in operations}
    assert len(asked) >= WANTED
