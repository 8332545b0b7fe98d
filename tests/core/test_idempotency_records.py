"""Stored answers: locked at once or not at all, found while they last, replaced when they ended (SEC-50)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

from datetime import timedelta

import pytest

from app.core.idempotency import IdempotencyRecord, IdempotencyRecords
from app.core.ids import new_id

ACCOUNT = new_id()
NAMES = (ACCOUNT, "createProject", "key")


@pytest.fixture
def records(parts):
    return parts.services[IdempotencyRecords]


@pytest.fixture
def store(parts, records, uow):
    def put(body=b"{}", names=NAMES, **ago):
        account, operation, key = names
        record = IdempotencyRecord(
            account_id=account, operation=operation, key=key, fingerprint=b"f", status=201, headers={"ETag": '"1"'},
            body=body, expires_at=parts.clock.now() + timedelta(hours=24) - timedelta(**ago),
        )  # fmt: skip
        with uow:
            records.store(record)

    return put


def found(records, uow, names=NAMES):
    with uow:
        record = records.find(*names)
        return record.body if record else None


def test_a_record_comes_back_as_it_was(records, uow, store):
    body = bytes(range(256))
    store(body)
    with uow:
        record = records.find(*NAMES)
        assert (record.status, record.headers, record.body, record.fingerprint) == (
            201,
            {"ETag": '"1"'},
            body,
            b"f",
        )


@pytest.mark.parametrize(
    "names",
    [
        (new_id(), "createProject", "key"),
        (ACCOUNT, "updateProject", "key"),
        (ACCOUNT, "createProject", "Key"),
    ],
)
def test_account_operation_and_key_name_it_together(records, uow, store, names):
    store()
    assert found(records, uow, names) is None


def test_an_ended_record_is_not_found_and_is_replaced(records, uow, store, advance):
    store(b"first")
    advance(hours=23, minutes=59)
    assert found(records, uow) == b"first"
    advance(minutes=2)
    assert found(records, uow) is None
    store(b"second")
    assert found(records, uow) == b"second"


def test_of_two_transactions_one_has_the_lock_and_the_other_is_told_at_once(records, uow, elsewhere):
    def ask(names=NAMES):
        with uow:
            return records.try_lock(*names)

    with uow:
        assert records.try_lock(*NAMES) is True
        assert records.try_lock(*NAMES) is True
        assert elsewhere(ask) is False
        assert elsewhere(ask, (ACCOUNT, "createProject", "other")) is True
        assert elsewhere(ask, (new_id(), "createProject", "key")) is True
        assert elsewhere(ask, (ACCOUNT, "updateProject", "key")) is True
    assert elsewhere(ask) is True


def test_a_lock_ends_with_a_rollback_too(records, uow, elsewhere):
    def ask():
        with uow:
            return records.try_lock(*NAMES)

    with pytest.raises(ZeroDivisionError), uow:
        records.try_lock(*NAMES)
        1 / 0  # noqa: B018 - it raises
    assert elsewhere(ask) is True


def test_of_20_at_once_one_has_the_lock(records, uow, at_once):
    import threading

    asked = threading.Barrier(12)

    def work(_number):
        with uow:
            got = records.try_lock(*NAMES)
            asked.wait(10)
            return got

    assert sorted(at_once(12, work)) == [False] * 11 + [True]


def test_the_sweep_deletes_what_ended(records, uow, store, sql):
    store(names=(ACCOUNT, "createProject", "old"), hours=25)
    store(names=(ACCOUNT, "createProject", "just ended"), hours=24)
    store()
    with uow:
        assert records.sweep() == 2
    assert sql("SELECT key FROM idempotency_records") == [("key",)]
