"""UserService: what other features rely on when they make and change accounts."""

import pytest

from app.core.access import SiteRole
from app.core.errors import AppError, Code
from app.users.service import UserService


@pytest.fixture
def users(parts):
    return parts.services[UserService]


def made(users, email="Dana@Example.com"):
    return users.create(email=email, password_hash="hf1$x", display_name="Dana")


def test_an_account_is_found_by_any_spelling(users):
    user = made(users)
    assert users.find_by_email(" dana@EXAMPLE.com").id == user.id
    assert users.get(user.id).email == "Dana@Example.com"
    assert (user.role, user.status, user.email_verified) == (SiteRole.user, "active", True)


@pytest.mark.parametrize("spelling", ["dana@example.com", " DANA@example.com "])
def test_an_address_has_one_account_whoever_asks(users, sql, spelling):
    made(users)
    with pytest.raises(AppError) as refused:
        made(users, spelling)
    assert refused.value.code == Code.token_expired_or_used
    assert sql("SELECT count(*) FROM users") == [(1,)]
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.created'") == [(1,)]


def test_many_at_once_make_one_account(users, at_once, sql):
    answers = at_once(6, lambda _number: made(users))
    assert sum(isinstance(answer, AppError) for answer in answers) == 5
    assert sql("SELECT count(*) FROM users") == [(1,)]


def test_a_hash_is_replaced_only_while_the_old_one_stands_sec_04(users, sql):
    user = made(users)
    users.store_password_hash(user.id, old="hf1$y", new="hf1$z")
    assert sql("SELECT password_hash, version FROM users") == [("hf1$x", 1)]
    users.store_password_hash(user.id, old="hf1$x", new="hf1$z")
    assert sql("SELECT password_hash, version FROM users") == [("hf1$z", 1)]


@pytest.mark.parametrize("change", ["password_hash = 'hf1$y'", "status = 'suspended'"])
def test_an_account_that_changed_is_not_unchanged(users, sql, change):
    seen = made(users)
    users.require_unchanged(seen)
    sql(f"UPDATE users SET {change}")
    with pytest.raises(AppError) as refused:
        users.require_unchanged(seen)
    assert refused.value.code == Code.invalid_credentials


def test_an_account_that_is_gone_is_not_unchanged_either(users, sql):
    seen = made(users)
    sql("DELETE FROM users")
    with pytest.raises(AppError) as refused:
        users.require_unchanged(seen)
    assert refused.value.code == Code.invalid_credentials
