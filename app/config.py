"""Settings: typed, from the environment, every fault reported at once.

Each field is one environment variable, upper-cased (``database_url`` is ``DATABASE_URL``). Anything may
also come from a file named by ``<NAME>_FILE``, the way container platforms hand over secrets.
docs/configuration.md has a line for each; a test keeps it so.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app.config_faults import production_faults, shared_faults
from app.config_files import FileSettings
from app.config_passkeys import belongs, origin_of, rp_id_of
from app.config_sources import (
    FileSecretsSource,
    database_url,
    file_faults,
    http_origin,
    rate,
    split_commas,
)

DEFAULT_ENV_FILE = "var/run/env"

CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
OriginList = Annotated[CommaList, AfterValidator(lambda origins: tuple(http_origin(o) for o in origins))]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(database_url)]
DatabaseUrls = Annotated[tuple[DatabaseUrl, ...], NoDecode, BeforeValidator(split_commas)]
Rate = Annotated[str, AfterValidator(rate)]


class ConfigError(Exception):
    """The environment does not make a working configuration.

    Attributes:
        faults: one plain sentence per fault, naming the variable and never its value.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(FileSettings):
    model_config = SettingsConfigDict(
        extra="ignore", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    # Where it runs
    app_env: Literal["development", "test", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    workers: int = Field(2, ge=1, le=64)
    threads: int = Field(6, ge=1, le=64)
    drain_seconds: int | None = Field(None, ge=0, le=120)
    public_url: str = ""
    link_base_url: str = ""
    trusted_hosts: CommaList = ()
    trusted_proxies: int = Field(0, ge=0, le=10)
    forwarded_allow_ips: str = "127.0.0.1,::1"
    cors_origins: OriginList = ()
    debug: bool = False
    read_only: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    ops_token: SecretStr | None = None
    docs_enabled: bool = True

    # Engines
    database_url: DatabaseUrl = SecretStr("")
    migration_database_url: DatabaseUrl | None = None
    database_replica_urls: DatabaseUrls = ()
    db_pool_size: int | None = Field(None, ge=1, le=100)
    db_max_overflow: int = Field(2, ge=0, le=100)
    db_pool_timeout_seconds: float = Field(2.0, gt=0, le=30)
    db_statement_timeout_ms: int = Field(5_000, ge=100, le=60_000)
    db_lock_timeout_ms: int = Field(2_000, ge=100, le=60_000)
    redis_url: SecretStr = SecretStr("")
    cache_enabled: bool = True

    # Keys: rings of `id:base64`, the first one current
    secret_keys: SecretStr = SecretStr("")
    password_peppers: SecretStr = SecretStr("")
    signing_keys: SecretStr = SecretStr("")

    # Tokens and sessions
    jwt_issuer: str = ""
    jwt_audience: str = "holdfast"
    access_token_seconds: int = Field(600, ge=60, le=900)
    cookie_idle_days: int = Field(14, ge=1, le=365)
    cookie_absolute_days: int = Field(30, ge=1, le=365)
    cookie_secure: bool | None = None
    body_idle_days: int = Field(60, ge=1, le=365)
    body_absolute_days: int = Field(365, ge=1, le=730)
    refresh_grace_seconds: int = Field(10, ge=0, le=300)
    step_up_seconds: int = Field(900, ge=60, le=3600)
    max_sessions: int = Field(60, ge=1, le=1000)

    # Passwords and codes
    password_min_length: int = Field(12, ge=8, le=64)
    bcrypt_cost: int = Field(12, ge=4, le=16)
    bcrypt_slots: int | None = Field(None, ge=1, le=64)
    verification_hours: int = Field(24, ge=1, le=24)
    verification_code_minutes: int = Field(10, ge=1, le=60)
    reset_minutes: int = Field(30, ge=5, le=60)
    reset_code_minutes: int = Field(10, ge=1, le=30)
    email_change_hours: int = Field(24, ge=1, le=72)
    email_cancel_hours: int = Field(72, ge=1, le=720)
    breach_check: bool = False
    breach_check_url: str = "https://api.pwnedpasswords.com/range/"
    breach_check_seconds: float = Field(1.0, gt=0, le=5)
    breach_check_required: bool = False

    # Second factor and passkeys
    mfa_token_seconds: int = Field(300, ge=60, le=900)
    webauthn_rp_id: str = ""
    webauthn_origins: CommaList = ()

    # Leaving, exports, API tokens
    deletion_grace_days: int = Field(14, ge=1, le=90)
    export_days: int = Field(7, ge=1, le=30)
    api_token_days: int = Field(365, ge=1, le=365)
    max_api_tokens: int = Field(50, ge=1, le=1000)

    # Invitations
    invitation_days: int = Field(7, ge=1, le=30)

    # Limits; each is `quota/seconds`
    rate_limit_factor: float = Field(1.0, gt=0, le=1_000_000)
    rate_limit_reads: Rate = "600/60"
    rate_limit_writes: Rate = "120/60"
    rate_limit_anonymous: Rate = "120/60"
    rate_limit_sign_in_account_address: Rate = "5/300"
    rate_limit_sign_in_account: Rate = "10/300"
    rate_limit_sign_in_address: Rate = "10/300"
    rate_limit_sign_in_address_day: Rate = "100/86400"
    rate_limit_sign_in_global: Rate = "1000/300"
    rate_limit_register_address: Rate = "10/3600"
    rate_limit_verification_mail: Rate = "5/3600"
    rate_limit_verify_address: Rate = "30/300"
    rate_limit_known_device: Rate = "10/3600"
    rate_limit_forgot_account: Rate = "5/86400"
    rate_limit_forgot_address: Rate = "10/3600"
    rate_limit_mfa_account: Rate = "5/300"
    rate_limit_mfa_account_hour: Rate = "20/3600"
    rate_limit_mfa_account_day: Rate = "50/86400"
    rate_limit_mfa_address: Rate = "10/300"
    rate_limit_mfa_address_hour: Rate = "50/3600"
    rate_limit_email_change_account: Rate = "5/300"
    rate_limit_email_change_address: Rate = "20/3600"
    rate_limit_invite_account: Rate = "60/3600"
    rate_limit_invite_address: Rate = "120/3600"
    rate_limit_invitation_mail: Rate = "5/86400"
    rate_limit_refresh_session: Rate = "30/300"
    rate_limit_refresh_failures: Rate = "150/300"
    sign_in_failure_ceiling: int = Field(100, ge=10, le=100)
    max_body_bytes: int = Field(1_048_576, ge=1_024, le=104_857_600)

    # Mail
    smtp_url: SecretStr | None = None
    mail_from: str = "Holdfast <no-reply@localhost>"
    mailbox_dir: Path | None = None
    product_name: str = "Holdfast"
    app_scheme: str = ""

    # What is kept for how long
    idempotency_hours: int = Field(24, ge=1, le=168)
    trash_days: int = Field(30, ge=1, le=365)
    invitation_retention_days: int = Field(30, ge=1, le=365)
    session_retention_days: int = Field(30, ge=1, le=365)
    event_retention_days: int = Field(400, ge=31, le=3650)
    audit_retention_days: int = Field(730, ge=31, le=3650)

    # What clients are told
    min_client_version_ios: str = "0.0.0"
    min_client_version_android: str = "0.0.0"
    min_client_version_web: str = "0.0.0"
    security_contact: str = ""
    change_password_url: str = ""
    apple_app_ids: CommaList = ()
    android_apps: CommaList = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSecretsSource(settings_cls), dotenv_settings

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def development(self) -> bool:
        """Whether the test clock, the mailbox pages and open health details exist."""
        return not self.production

    @property
    def base_url(self) -> str:
        """The address clients reach us by, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def links_base(self) -> str:
        return (self.link_base_url or self.base_url).rstrip("/")

    @property
    def issuer(self) -> str:
        return self.jwt_issuer or self.base_url

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://") if self.cookie_secure is None else self.cookie_secure

    @property
    def passkey_rp_id(self) -> str:
        """The domain that passkeys belong to."""
        return self.webauthn_rp_id or rp_id_of(self.base_url)

    @property
    def passkey_origins(self) -> tuple[str, ...]:
        """Origins whose passkeys are taken; by default our own and those of CORS that lie in the domain."""
        usual = (origin_of(self.base_url), *self.cors_origins)
        chosen = self.webauthn_origins or tuple(o for o in usual if belongs(o, self.passkey_rp_id))
        return tuple(dict.fromkeys(chosen))

    @property
    def pool_size(self) -> int:
        return self.db_pool_size or self.threads

    @property
    def hash_slots(self) -> int:
        """How many bcrypt computations one process runs at once: the host's cores, shared by the workers."""
        return self.bcrypt_slots or max(1, (os.cpu_count() or 1) // self.workers)

    @property
    def drain_for(self) -> int:
        return self.drain_seconds if self.drain_seconds is not None else (5 if self.production else 0)

    def check(self) -> Self:
        """Refuse what cannot work or is not safe.

        Raises:
            ConfigError: with one sentence per fault.
        """
        faults = self.faults()
        if faults:
            raise ConfigError(faults)
        return self

    def faults(self) -> list[str]:
        """What ``check`` refuses."""
        return shared_faults(self) + (production_faults(self) if self.production else [])


def load_settings(**overrides: Any) -> Settings:
    """Read the environment (and, outside production, the file that `make run` leaves), and check it.

    Raises:
        ConfigError: all faults at once.
    """
    env_file = os.environ.get("HOLDFAST_ENV_FILE", DEFAULT_ENV_FILE)
    use_file = os.environ.get("APP_ENV") != "production" and Path(env_file).is_file()
    settings, faults = _read(env_file if use_file else None, overrides)
    told = {fault.partition(":")[0] for fault in faults}
    faults += [fault for fault in settings.faults() if fault.partition(":")[0] not in told]
    if faults:
        raise ConfigError(faults)
    return settings


def _read(env_file: str | None, overrides: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The settings, and what could not be read; in place of those stand defaults, so that the rest can be judged."""
    faults = file_faults(Settings.model_fields)
    try:
        return Settings(_env_file=env_file, **overrides), faults
    except ValidationError as error:
        wrong = error.errors(include_input=False)
    faults += [_sentence(fault) for fault in wrong]
    names = {str(fault["loc"][0]) for fault in wrong}
    defaults = {name: Settings.model_fields[name].default for name in names}
    return Settings(_env_file=env_file, **{**overrides, **defaults}), faults


def _sentence(fault: Any) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
