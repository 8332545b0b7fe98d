"""Fixtures of this area's tests."""

import pytest

from tests.fixtures.email_changes import NEW_ADDRESS, asks_for_address
from tests.fixtures.letters import do_jobs, letters

__all__ = ["do_jobs", "letters"]


@pytest.fixture
def asked(letters):
    """``asked(person, address)``: ask, and the two mails: to the new address, and to the old one."""

    def ask(person, address=NEW_ADDRESS):
        old = person.get("/me").json["email"]
        assert asks_for_address(person, address).status_code == 202
        confirm = next(mail for mail in letters(address) if mail.kind == "confirm_email_change")
        return confirm, next(mail for mail in letters(old) if mail.kind == "old_address")

    return ask
