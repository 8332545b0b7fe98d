"""docs/configuration.md has a line for each setting, with the default that the code has."""

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from app.config import Settings
from tests.docs.pages import DOCS, NONE, read, same, section, table, words
from tests.fixtures.settings import KEYS

PAGE = read(DOCS / "configuration.md")
ROWS = {words(row["Setting"])[0]: row for row in table(PAGE, "Setting", "Default", "Meaning")}
NOTHING = (None, "", ())


def shown(default):
    """A default as the tables write it."""
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    assert plain is not PydanticUndefined
    if plain in NOTHING:
        return NONE
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"


def test_every_setting_has_its_line_and_no_line_is_of_another():
    same(ROWS, (name.upper() for name in Settings.model_fields), "docs/configuration.md")


def test_the_defaults_are_those_of_the_code():
    defaults = {name.upper(): shown(field.default) for name, field in Settings.model_fields.items()}
    wrong = {name: defaults[name] for name, row in ROWS.items() if row["Default"] != defaults.get(name)}
    assert wrong == {}, "the column Default of docs/configuration.md says something else about these"


def test_every_setting_has_a_meaning():
    assert [name for name, row in ROWS.items() if not row["Meaning"]] == []


def test_what_production_refuses_is_told():
    ring = KEYS["secret_keys"]
    faulty = Settings(
        _env_file=None, app_env="production", debug=True, cors_origins="*", cookie_secure=False, bcrypt_cost=4,
        rate_limit_factor=2, mailbox_dir="mailbox", database_url="postgresql://a@db/b", ops_token="short",
        migration_database_url="postgresql://o@db/b", redis_url="redis://cache", secret_keys=ring,
        password_peppers=ring, signing_keys=KEYS["signing_keys"],
    )  # fmt: skip
    refused = {fault.partition(":")[0] for fault in faulty.faults()}
    told = section(PAGE, "What production refuses")
    rings = {"SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS", "COOKIE_SECURE"}
    assert refused - rings - set(words(told)) == set()
    assert "key is used in two rings" in told
    assert "`Secure`" in told
    assert "SMTP_URL" in refused
    assert "PUBLIC_URL" in refused
