"""Where settings come from: the environment, files, and on a laptop the file that `make run` leaves."""

import base64

import pytest

from app.config import ConfigError, Settings, load_settings
from tests.fixtures.settings import KEYS

GOOD = {
    "DATABASE_URL": "postgresql://holdfast_app@localhost/holdfast", "REDIS_URL": "redis://localhost/0",
    "MAILBOX_DIR": "/nowhere/mailbox", **{name.upper(): value for name, value in KEYS.items()},
}  # fmt: skip


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Nothing but what is given: ``environment(APP_ENV="test")``; ``None`` takes a variable away."""
    for name in (*(field.upper() for field in Settings.model_fields), "HOLDFAST_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)

    def set_to(**variables):
        for name, value in {**GOOD, **variables}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(value))

    set_to()
    return set_to


@pytest.fixture
def faults(environment):
    def told(**variables):
        environment(**variables)
        with pytest.raises(ConfigError) as error:
            load_settings()
        return error.value.faults

    return told


def write(path, text):
    path.write_text(text)
    return path


def test_each_setting_is_a_variable_in_upper_case(environment):
    environment(PORT="8123", CORS_ORIGINS=" https://a.example.com , https://b.example.com", READ_ONLY="true")
    settings = load_settings()
    assert (settings.port, settings.read_only) == (8123, True)
    assert settings.cors_origins == ("https://a.example.com", "https://b.example.com")


@pytest.mark.parametrize("given", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_the_driver_is_ours_to_name(environment, given):
    environment(DATABASE_URL=f"{given}://u:p@localhost/holdfast")
    assert load_settings().database_url.get_secret_value() == "postgresql+psycopg2://u:p@localhost/holdfast"


def test_replicas_are_a_list_of_secrets(environment, tmp_path):
    urls = "postgresql://u:kelp%2Cweed@db2/holdfast, postgres://u:p@db3/holdfast"
    environment(DATABASE_REPLICA_URLS_FILE=write(tmp_path / "replicas", f"{urls}\n"))
    replicas = load_settings().database_replica_urls
    assert [url.get_secret_value() for url in replicas] == [
        "postgresql+psycopg2://u:kelp%2Cweed@db2/holdfast", "postgresql+psycopg2://u:p@db3/holdfast",
    ]  # fmt: skip
    assert "kelp" not in repr(load_settings())


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_any_setting_may_come_from_a_file(environment, tmp_path, end):
    """As container platforms hand over secrets, with the line break that editors leave."""
    environment(
        SECRET_KEYS=None, SECRET_KEYS_FILE=write(tmp_path / "keys", KEYS["secret_keys"] + end),
        PORT_FILE=write(tmp_path / "port", f"8123{end}"),
    )  # fmt: skip
    settings = load_settings()
    assert settings.secret_keys.get_secret_value() == KEYS["secret_keys"]
    assert settings.port == 8123


def test_a_variable_wins_over_its_file(environment, tmp_path):
    environment(PORT="8001", PORT_FILE=write(tmp_path / "port", "8002"))
    assert load_settings().port == 8001


def test_what_stands_in_a_file_is_judged_like_a_variable(faults, tmp_path):
    short = "k1:" + base64.b64encode(b"kelp").decode()
    told = faults(
        SECRET_KEYS=None,
        SECRET_KEYS_FILE=write(tmp_path / "keys", short),
        PORT_FILE=write(tmp_path / "p", "x"),
    )
    assert [fault.partition(":")[0] for fault in told] == ["PORT", "SECRET_KEYS"]
    assert "a2VscA" not in "".join(told)


@pytest.mark.parametrize("what", ["missing", "a folder", "no text"])
def test_a_file_that_cannot_be_read_is_one_fault(faults, tmp_path, what):
    path = {"missing": tmp_path / "missing", "a folder": tmp_path, "no text": tmp_path / "bytes"}[what]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    [fault] = faults(SECRET_KEYS=None, SECRET_KEYS_FILE=path)
    assert fault.startswith(f"SECRET_KEYS: {path}, named by SECRET_KEYS_FILE, ")


def test_several_files_that_cannot_be_read_are_several_faults(faults):
    told = faults(
        SECRET_KEYS=None,
        SECRET_KEYS_FILE="/nowhere/a",
        REDIS_URL=None,
        REDIS_URL_FILE="/nowhere/b",
        DEBUG="kelp",
    )
    assert [fault.partition(":")[0] for fault in told] == ["REDIS_URL", "SECRET_KEYS", "DEBUG"]
    assert "kelp" not in "".join(told)


@pytest.mark.parametrize("name", ["MAILBOX_DIR", "SMTP_URL"])
def test_an_empty_variable_is_as_good_as_none(environment, name):
    """Compose files hand over ``${NAME:-}``; an empty MAILBOX_DIR must not become the folder one stands in."""
    environment(**{"MAILBOX_DIR": "/nowhere", "SMTP_URL": "smtp://localhost", name: ""})
    assert getattr(load_settings(), name.lower()) is None


class TestEnvFile:
    def test_a_laptop_reads_what_make_run_left(self, environment, tmp_path):
        (tmp_path / "var" / "run").mkdir(parents=True)
        write(tmp_path / "var" / "run" / "env", "PORT=8123\nPRODUCT_NAME='Kelp & Co'\n")
        settings = load_settings()
        assert (settings.port, settings.product_name) == (8123, "Kelp & Co")

    def test_or_the_file_that_is_named(self, environment, tmp_path):
        environment(HOLDFAST_ENV_FILE=write(tmp_path / "mine", "PORT=8123\n"))
        assert load_settings().port == 8123

    def test_the_environment_wins(self, environment, tmp_path):
        environment(PORT="8001", HOLDFAST_ENV_FILE=write(tmp_path / "mine", "PORT=8123\n"))
        assert load_settings().port == 8001

    def test_production_does_not_read_it(self, faults, tmp_path):
        mine = write(
            tmp_path / "mine", "PUBLIC_URL=https://api.example.com\nSMTP_URL=smtps://mail.example.com\n"
        )
        told = faults(APP_ENV="production", HOLDFAST_ENV_FILE=mine)
        assert {"PUBLIC_URL", "SMTP_URL"} <= {fault.partition(":")[0] for fault in told}

    def test_what_does_not_exist_is_no_fault(self, environment):
        environment(HOLDFAST_ENV_FILE="/nowhere")
        assert load_settings().port == 8000

    def test_what_it_holds_for_others_is_left_alone(self, environment, tmp_path):
        environment(HOLDFAST_ENV_FILE=write(tmp_path / "mine", "SOMETHING_ELSE=1\n"))
        assert load_settings()


def test_no_secret_stands_in_the_representation(environment):
    text = repr(load_settings())
    assert not [secret for secret in KEYS.values() if secret in text]


def test_faults_are_sentences_that_name_the_variable(faults):
    [fault] = faults(PORT="70000")
    assert fault == "PORT: Input should be less than or equal to 65535"


class TestWhatFollowsFromSettings:
    def of(self, **values):
        return Settings(_env_file=None, **values)

    def test_addresses(self):
        assert self.of(host="10.0.0.7", port=8123).base_url == "http://10.0.0.7:8123"
        here = self.of(public_url="https://api.example.com/")
        assert (here.base_url, here.links_base, here.issuer) == ("https://api.example.com",) * 3
        assert self.of(public_url="https://a.b", link_base_url="https://app.b/").links_base == "https://app.b"

    def test_cookies_are_secure_where_the_address_is(self):
        assert self.of(public_url="https://api.example.com").secure_cookies
        assert not self.of(public_url="http://localhost:8000").secure_cookies
        assert self.of(public_url="http://localhost:8000", cookie_secure=True).secure_cookies

    def test_draining_takes_time_in_production_only(self):
        assert self.of().drain_for == 0
        assert self.of(app_env="production").drain_for == 5
        assert self.of(app_env="production", drain_seconds=0).drain_for == 0

    def test_a_pool_has_a_connection_for_each_thread(self):
        assert self.of(threads=6).pool_size == 6
        assert self.of(threads=6, db_pool_size=3).pool_size == 3

    def test_hashes_share_the_cores(self):
        assert self.of(workers=64).hash_slots == 1
        assert self.of(bcrypt_slots=5).hash_slots == 5
