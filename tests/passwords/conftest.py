"""Fixtures of this area's tests."""

import pytest

from tests.fixtures.account_states import hashes, in_every_state
from tests.fixtures.factors import enrols
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.resets import asks_for_reset

__all__ = ["do_jobs", "enrols", "hashes", "in_every_state", "letters"]


@pytest.fixture
def reset_mail(anonymous, letters):
    """``reset_mail(email)``: ask for one, and the mail that came."""

    def ask(email="alice@example.com"):
        assert asks_for_reset(anonymous, email).status_code == 202
        return next(mail for mail in letters(email) if mail.kind == "reset_password")

    return ask
