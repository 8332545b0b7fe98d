"""SEC-56: a configuration that cannot work, or is not safe, ends the start with 78 and one line per fault."""

import base64
import re
import secrets

import pytest

from tests.fixtures.starts import starts


def ring(key_id="k1", size=32):
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(size)).decode()}"


SHARED = ring()
DEVELOPMENT = {
    "DATABASE_URL": "postgresql://holdfast_app:kelp-password@localhost/holdfast",
    "REDIS_URL": "redis://:kelp-password@localhost:6379/0",
    "SECRET_KEYS": ring(),
    "PASSWORD_PEPPERS": ring(),
    "SIGNING_KEYS": ring(),
    "MAILBOX_DIR": "/nowhere/mailbox",
    "HOLDFAST_ENV_FILE": "/nowhere",
}
PRODUCTION = {
    **{name: value for name, value in DEVELOPMENT.items() if name != "MAILBOX_DIR"},
    "APP_ENV": "production",
    "PUBLIC_URL": "https://api.example.com",
    "SMTP_URL": "smtps://mailer:kelp-password@mail.example.com",
    "OPS_TOKEN": secrets.token_urlsafe(32),
    "STORAGE_DIR": "/nowhere/files",
}
ELSEWHERE = "postgresql://holdfast_app:kelp-password@db.example.com/holdfast"
ANDROID = "com.example.app|" + ":".join(["AB"] * 32)

# What is different from an environment that works, and the variables complained of.
IN_PRODUCTION = {
    "no secrets": ({"SECRET_KEYS": ""}, ["SECRET_KEYS"]),
    "a short secret": ({"SECRET_KEYS": ring(size=31)}, ["SECRET_KEYS"]),
    "a short pepper": ({"PASSWORD_PEPPERS": ring(size=16)}, ["PASSWORD_PEPPERS"]),
    "a short old key": ({"SIGNING_KEYS": f"{ring()},{ring('k2', 31)}"}, ["SIGNING_KEYS"]),
    "a default secret": ({"SECRET_KEYS": "k1:" + base64.b64encode(b"changeme" * 4).decode()}, ["SECRET_KEYS"]),
    "a secret of zeros": ({"SIGNING_KEYS": "k1:" + base64.b64encode(bytes(32)).decode()}, ["SIGNING_KEYS"]),
    "no base64": ({"SECRET_KEYS": "k1:kelp grips the rock"}, ["SECRET_KEYS"]),
    "no id": ({"SECRET_KEYS": base64.b64encode(bytes(range(32))).decode()}, ["SECRET_KEYS"]),
    "one id twice": ({"SECRET_KEYS": f"{ring()},{ring()}"}, ["SECRET_KEYS"]),
    "two purposes with one secret": ({"SECRET_KEYS": SHARED, "SIGNING_KEYS": SHARED}, ["SIGNING_KEYS"]),
    "an operator's token that is a secret": ({"SECRET_KEYS": SHARED, "OPS_TOKEN": SHARED[3:]}, ["OPS_TOKEN"]),
    "a short operator's token": ({"OPS_TOKEN": "kelp"}, ["OPS_TOKEN"]),
    "debugging": ({"DEBUG": "true"}, ["DEBUG"]),
    "any origin": ({"CORS_ORIGINS": "https://app.example.com,*"}, ["CORS_ORIGINS"]),
    "limits in memory": ({"REDIS_URL": "memory://"}, ["REDIS_URL"]),
    "no Redis": ({"REDIS_URL": ""}, ["REDIS_URL"]),
    "Redis without TLS": ({"REDIS_URL": "redis://:kelp-password@cache.example.com:6379/0"}, ["REDIS_URL"]),
    "no database": ({"DATABASE_URL": ""}, ["DATABASE_URL"]),
    "SQLite": ({"DATABASE_URL": "sqlite:///kelp.db"}, ["DATABASE_URL"]),
    "a database without TLS": ({"DATABASE_URL": ELSEWHERE}, ["DATABASE_URL"]),
    "a database that may do without": ({"DATABASE_URL": f"{ELSEWHERE}?sslmode=prefer"}, ["DATABASE_URL"]),
    "an owner without TLS": ({"MIGRATION_DATABASE_URL": ELSEWHERE}, ["MIGRATION_DATABASE_URL"]),
    "a replica without TLS": (
        {"DATABASE_REPLICA_URLS": f"{ELSEWHERE}?sslmode=require,{ELSEWHERE}"}, ["DATABASE_REPLICA_URLS"],
    ),
    "cookies without Secure": ({"COOKIE_SECURE": "false"}, ["COOKIE_SECURE"]),
    "cheap hashes": ({"BCRYPT_COST": "9"}, ["BCRYPT_COST"]),
    "no address": ({"PUBLIC_URL": ""}, ["PUBLIC_URL", "COOKIE_SECURE"]),
    "an address without TLS": ({"PUBLIC_URL": "http://api.example.com"}, ["PUBLIC_URL", "COOKIE_SECURE"]),
    "an address that is none": ({"PUBLIC_URL": "api.example.com"}, ["PUBLIC_URL", "COOKIE_SECURE"]),
    "raised limits": ({"RATE_LIMIT_FACTOR": "20"}, ["RATE_LIMIT_FACTOR"]),
    "mails in a folder": ({"MAILBOX_DIR": "/var/mailbox"}, ["MAILBOX_DIR"]),
    "no way out for mails": ({"SMTP_URL": ""}, ["SMTP_URL"]),
    "files in a folder that is not named": ({"STORAGE_DIR": ""}, ["STORAGE_DIR"]),
    "a short key of files": ({"STORAGE_KEYS": ring(size=31)}, ["STORAGE_KEYS"]),
    "files under the key of something else": ({"SECRET_KEYS": SHARED, "STORAGE_KEYS": SHARED}, ["STORAGE_KEYS"]),
}  # fmt: skip
ANYWHERE = {
    "no way out for mails": ({"MAILBOX_DIR": ""}, ["SMTP_URL"]),
    "no SMTP URL": ({"SMTP_URL": "mail.example.com:kelp"}, ["SMTP_URL"]),
    "SMTP with a password in clear": ({"SMTP_URL": "smtp://mailer:kelp-password@mail.example.com"}, ["SMTP_URL"]),
    "SMTP with a port that is none": ({"SMTP_URL": "smtps://mail.example.com:kelp"}, ["SMTP_URL"]),
    "a sender that is none": ({"MAIL_FROM": "Holdfast <kelp>"}, ["MAIL_FROM"]),
    "a scheme with slashes": ({"APP_SCHEME": "reefapp://"}, ["APP_SCHEME"]),
    "a scheme with a space": ({"APP_SCHEME": "reef app"}, ["APP_SCHEME"]),
    "the web's scheme": ({"APP_SCHEME": "https"}, ["APP_SCHEME"]),
    "a scheme that runs": ({"APP_SCHEME": "javascript"}, ["APP_SCHEME"]),
    "an Android app without certificate": ({"ANDROID_APPS": "com.example.app"}, ["ANDROID_APPS"]),
    "a short certificate": ({"ANDROID_APPS": "com.example.app|AB:CD"}, ["ANDROID_APPS"]),
    "a package that is none": ({"ANDROID_APPS": f"{ANDROID},kelp|AB"}, ["ANDROID_APPS"]),
    "no number": ({"THREADS": "kelp"}, ["THREADS"]),
    "too large a number": ({"PORT": "70000"}, ["PORT"]),
    "no rate": ({"RATE_LIMIT_READS": "600 per minute"}, ["RATE_LIMIT_READS"]),
    "an empty rate": ({"RATE_LIMIT_READS": "0/60"}, ["RATE_LIMIT_READS"]),
    "an unknown place": ({"APP_ENV": "staging"}, ["APP_ENV"]),
    "an origin with a path": ({"CORS_ORIGINS": "https://app.example.com/kelp"}, ["CORS_ORIGINS"]),
    "a database with a port that is none": ({"DATABASE_URL": "postgresql://a:kelp-password@b:c/d"}, ["DATABASE_URL"]),
    "Redis with a port that is none": ({"REDIS_URL": "redis://localhost:kelp"}, ["REDIS_URL"]),
    "idle beyond the end": ({"BODY_IDLE_DAYS": "300", "BODY_ABSOLUTE_DAYS": "200"}, ["BODY_IDLE_DAYS"]),
    "a key of files that is none": ({"STORAGE_KEYS": "k1:kelp"}, ["STORAGE_KEYS"]),
    "an id that is not plain": ({"STORAGE_KEYS": ring("tång")}, ["STORAGE_KEYS"]),
    "a bucket without a name": ({"STORAGE": "s3"}, ["S3_BUCKET"]),
    "half of the bucket's key": ({"S3_ACCESS_KEY_ID": "kelp"}, ["S3_SECRET_ACCESS_KEY"]),
    "a bucket at no address": ({"S3_ENDPOINT_URL": "minio:9000"}, ["S3_ENDPOINT_URL"]),
    "nginx over encrypted files": ({"ACCEL_REDIRECT": "/objects/", "STORAGE_KEYS": ring()}, ["ACCEL_REDIRECT"]),
    "a replica that is none": (
        {"DATABASE_REPLICA_URLS": "postgresql://a@b/c, mysql://a:kelp-password@b/c"}, ["DATABASE_REPLICA_URLS"],
    ),
    "a file that is not there": ({"SECRET_KEYS": None, "SECRET_KEYS_FILE": "/nowhere/keys"}, ["SECRET_KEYS"]),
}  # fmt: skip
EVERYTHING = {
    "APP_ENV": "production", "DEBUG": "1", "CORS_ORIGINS": "*", "COOKIE_SECURE": "0", "BCRYPT_COST": "4", "THREADS": "kelp",
    "RATE_LIMIT_FACTOR": "2", "DATABASE_URL": ELSEWHERE, "REDIS_URL": "memory://", "APP_SCHEME": "https",
    "SECRET_KEYS": "k1:a2VscA==", "MAILBOX_DIR": "/var/mailbox", "SIGNING_KEYS_FILE": "/nowhere/keys",
    "HOLDFAST_ENV_FILE": "/nowhere",
}  # fmt: skip
HARMLESS = {
    "DEBUG": "true", "CORS_ORIGINS": "*", "BCRYPT_COST": "4", "RATE_LIMIT_FACTOR": "20", "DATABASE_URL": ELSEWHERE,
}  # fmt: skip
SOUND = {
    "development": DEVELOPMENT,
    "production": PRODUCTION,
    "production with TLS elsewhere": {
        **PRODUCTION, "DATABASE_URL": f"{ELSEWHERE}?sslmode=verify-full",
        "REDIS_URL": "rediss://:kelp-password@cache.example.com:6379/0",
    },
    "production with replicas": {
        **PRODUCTION, "DATABASE_REPLICA_URLS": f"{ELSEWHERE}?sslmode=verify-full, {ELSEWHERE}?sslmode=require",
    },
    "production over sockets": {
        **PRODUCTION, "DATABASE_URL": "postgresql://holdfast_app@/holdfast?host=/run/postgresql",
        "REDIS_URL": "unix:///run/redis.sock",
    },
    "production with a bucket": {
        **{name: value for name, value in PRODUCTION.items() if name != "STORAGE_DIR"}, "STORAGE": "s3", "S3_BUCKET": "files",
    },
    "production with encrypted files": {**PRODUCTION, "STORAGE_KEYS": ring()},
    "all that apps need": {**DEVELOPMENT, "APP_SCHEME": "reefapp", "ANDROID_APPS": f"{ANDROID}, {ANDROID.lower()}"},
}  # fmt: skip


def changed(base, changes):
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


@pytest.fixture(scope="module")
def started():
    """Every start of this file, made one after the other from one process."""
    environments = {
        **{
            ("production", name): changed(PRODUCTION, changes) for name, (changes, _) in IN_PRODUCTION.items()
        },
        **{("anywhere", name): changed(DEVELOPMENT, changes) for name, (changes, _) in ANYWHERE.items()},
        **{("sound", name): environment for name, environment in SOUND.items()},
        ("everything", ""): EVERYTHING,
        ("harmless", ""): {**DEVELOPMENT, **HARMLESS},
    }
    return dict(zip(environments, starts("wsgi.py", list(environments.values())), strict=True))


def keeps_secrets(start):
    """Nothing that could be a secret is told: no value of a ring, no password, no traceback."""
    text = start.out + start.err
    return not re.search(r"kelp|Traceback|[A-Za-z0-9+/]{30,}={0,2}", text)


@pytest.mark.parametrize("name", IN_PRODUCTION)
def test_sec_56_production_refuses(started, name):
    start = started["production", name]
    assert (start.code, start.faults) == (78, IN_PRODUCTION[name][1])
    assert keeps_secrets(start)


@pytest.mark.parametrize("name", ANYWHERE)
def test_any_environment_refuses(started, name):
    start = started["anywhere", name]
    assert (start.code, start.faults) == (78, ANYWHERE[name][1])
    assert keeps_secrets(start)


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_starts(started, name):
    start = started["sound", name]
    assert (start.code, start.err) == (0, "")


def test_sec_56_all_faults_are_told_at_once(started):
    start = started["everything", ""]
    assert start.code == 78
    assert set(start.faults) == {
        "THREADS", "SIGNING_KEYS", "SECRET_KEYS", "PASSWORD_PEPPERS", "DATABASE_URL", "REDIS_URL", "APP_SCHEME", "DEBUG",
        "CORS_ORIGINS", "PUBLIC_URL", "COOKIE_SECURE", "BCRYPT_COST", "RATE_LIMIT_FACTOR", "MAILBOX_DIR", "SMTP_URL",
        "STORAGE_DIR",
    }  # fmt: skip
    assert len(start.faults) == len(set(start.faults)), "one line per fault"
    assert keeps_secrets(start)


def test_the_faults_of_production_are_no_faults_on_a_laptop(started):
    """So that the cases above are known to fail for being production."""
    start = started["harmless", ""]
    assert (start.code, start.err) == (0, "")
