"""The floor: what any Python service on gunicorn and psycopg2 pays, with no framework and no ORM on top."""

import base64
import hashlib
import os
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import bcrypt
import jwt
import orjson
import psycopg2
import redis

SECRET = os.environ["JWT_SECRET"]
LIMIT, WINDOW_MS, REFRESH_SECONDS = int(os.environ["RATE_LIMIT"]), 60_000, 14 * 86_400
ROOT, ORIGINS = "/api/v1", {"https://app.bench.example"}
COLUMNS = ("id", "name", "description", "owner_id", "created_at", "updated_at", "version")
FIELDS = ", ".join(COLUMNS)
ONE = f"SELECT {FIELDS} FROM projects WHERE id = %s AND owner_id = %s"
NEWEST = f"SELECT {FIELDS} FROM projects WHERE owner_id = %s ORDER BY created_at DESC, id DESC LIMIT %s"
OLDER = NEWEST.replace(" ORDER", " AND (created_at, id) < (%s, %s) ORDER")
INSERT = f"INSERT INTO projects (owner_id, name, description) VALUES (%s, %s, %s) RETURNING {FIELDS}"
ACCOUNT = "SELECT id, password_hash, is_active FROM users WHERE email = %s"
COUNT = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
STATUS = {
    200: "200 OK", 201: "201 Created", 400: "400 Bad Request", 401: "401 Unauthorized", 404: "404 Not Found",
    405: "405 Method Not Allowed", 409: "409 Conflict", 422: "422 Unprocessable Content", 429: "429 Too Many Requests",
    500: "500 Internal Server Error",
}  # fmt: skip
HEADERS = [
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
]
own = threading.local()


class Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def database() -> Any:
    if not hasattr(own, "cursor"):
        link = psycopg2.connect(os.environ["DATABASE_URL"], options="-c timezone=UTC")
        link.autocommit = True
        own.cursor = link.cursor()
    return own.cursor


def cache() -> Any:
    if not hasattr(own, "cache"):
        own.cache = redis.Redis.from_url(os.environ["REDIS_URL"], single_connection_client=True)
        own.count = own.cache.register_script(COUNT)
    return own.cache


def count(route: str, who: str) -> None:
    cache()
    if own.count(keys=[f"limit:{route}:{who}"], args=[WINDOW_MS]) > LIMIT:
        raise Refused(429)


def caller(environ: dict[str, Any]) -> str:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        claims = jwt.decode(
            token if scheme == "Bearer" else "", SECRET, algorithms=["HS256"],
            options={"require": ["sub", "exp", "iat", "jti", "sid"]},
        )  # fmt: skip
    except jwt.InvalidTokenError:
        raise Refused(401) from None
    return str(claims["sub"])


def body(environ: dict[str, Any]) -> dict[str, Any]:
    try:
        told = orjson.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except ValueError:
        raise Refused(400) from None
    if not isinstance(told, dict):
        raise Refused(422)
    return told


def checked(told: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """Name and description, as far as they are there."""
    changes: dict[str, Any] = {}
    if whole or "name" in told:
        name = told.get("name")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 255:
            raise Refused(422)
        changes["name"] = name.strip()
    if "description" in told:
        text = told["description"]
        if text is not None and not (isinstance(text, str) and len(text) <= 10_000):
            raise Refused(422)
        changes["description"] = text
    if not changes:
        raise Refused(422)
    return changes


def shown(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(COLUMNS, row, strict=True))


def page(environ: dict[str, Any], user: str) -> tuple[int, Any]:
    asked = dict(part.partition("=")[::2] for part in environ.get("QUERY_STRING", "").split("&"))
    size = asked.get("limit", "20")
    if not size.isdigit() or not 1 <= int(size) <= 100:
        raise Refused(422)
    number, cursor = int(size), database()
    if "cursor" in asked:
        try:
            when, _, key = (
                base64.urlsafe_b64decode(asked["cursor"].replace("%3D", "=")).decode().partition("|")
            )
            place = (datetime.fromisoformat(when), str(uuid.UUID(key)))
        except ValueError:
            raise Refused(422) from None
        cursor.execute(OLDER, (user, *place, number + 1))
    else:
        cursor.execute(NEWEST, (user, number + 1))
    rows = cursor.fetchall()
    last = rows[number - 1] if len(rows) > number else None
    following = (
        base64.urlsafe_b64encode(f"{last[4].isoformat()}|{last[0]}".encode()).decode() if last else None
    )
    return 200, {"items": [shown(row) for row in rows[:number]], "next_cursor": following}


def create(environ: dict[str, Any], user: str) -> tuple[int, Any]:
    told = checked(body(environ), whole=True)
    cursor = database()
    cursor.execute(INSERT, (user, told["name"], told.get("description")))
    return 201, shown(cursor.fetchone())


def one(key: str, user: str) -> tuple[int, Any]:
    cursor = database()
    cursor.execute(ONE, (key, user))
    row = cursor.fetchone()
    if row is None:
        raise Refused(404)
    return 200, shown(row)


def change(environ: dict[str, Any], key: str, user: str) -> tuple[int, Any]:
    told = body(environ)
    changes, version = checked(told, whole=False), told.get("version")
    sets = "".join(f"{name} = %s, " for name in changes)
    statement = (
        f"UPDATE projects SET {sets}version = version + 1, updated_at = now() WHERE id = %s AND owner_id = %s"
        f" AND (%s::int IS NULL OR version = %s) RETURNING {FIELDS}"
    )
    cursor = database()
    cursor.execute(statement, (*changes.values(), key, user, version, version))
    row = cursor.fetchone()
    if row is None:
        one(key, user)
        raise Refused(409)
    return 200, shown(row)


def sign_in(environ: dict[str, Any]) -> tuple[int, Any]:
    told = body(environ)
    email, password = told.get("email"), told.get("password")
    if not isinstance(email, str) or "@" not in email or not isinstance(password, str) or not password:
        raise Refused(422)
    cursor = database()
    cursor.execute(ACCOUNT, (email.lower(),))
    row = cursor.fetchone()
    if row is None or not bcrypt.checkpw(password.encode()[:72], row[1].encode()) or not row[2]:
        raise Refused(401)
    began, refresh = int(time.time()), secrets.token_urlsafe(32)
    claims = {
        "sub": row[0],
        "iat": began,
        "exp": began + 900,
        "jti": uuid.uuid4().hex,
        "sid": uuid.uuid4().hex,
    }
    cache().set(f"refresh:{hashlib.sha256(refresh.encode()).hexdigest()}", row[0], ex=REFRESH_SECONDS)
    return 200, {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "refresh_token": refresh}


def answer(environ: dict[str, Any], method: str, path: str) -> tuple[int, Any]:
    """Status and content; who asks stays in the environment, for the log."""
    if path == f"{ROOT}/healthz":
        return 200, {"status": "ok"}
    if (method, path) == ("POST", f"{ROOT}/auth/login"):
        count("sign-in", environ.get("HTTP_X_FORWARDED_FOR", ""))
        return sign_in(environ)
    head, _, key = path.partition("/projects")
    if head != ROOT:
        raise Refused(404)
    user = environ["user"] = caller(environ)
    count(f"{method}{bool(key)}", user)
    collection: dict[str, Callable[..., tuple[int, Any]]] = {"GET": page, "POST": create}
    if not key and method in collection:
        return collection[method](environ, user)
    try:
        key = str(uuid.UUID(key[1:]))
    except ValueError:
        raise Refused(404) from None
    if method == "GET":
        return one(key, user)
    if method == "PATCH":
        return change(environ, key, user)
    raise Refused(405)


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    began, method, path = time.perf_counter(), environ["REQUEST_METHOD"], environ["PATH_INFO"]
    number = environ.get("HTTP_X_REQUEST_ID", "")
    number = number if REQUEST_ID.fullmatch(number) else uuid.uuid4().hex
    try:
        status, told = answer(environ, method, path)
    except Refused as refused:
        status, told = refused.status, {"status": refused.status, "request_id": number}
    except (psycopg2.Error, redis.RedisError) as error:
        own.__dict__.clear()
        status, told = 500, {"status": 500, "request_id": number}
        os.write(2, f"{error!r}\n".encode())
    content = orjson.dumps(told)
    headers = [*HEADERS, ("Content-Length", str(len(content))), ("X-Request-ID", number)]
    if (origin := environ.get("HTTP_ORIGIN")) in ORIGINS:
        headers.append(("Access-Control-Allow-Origin", origin))
    start_response(STATUS[status], headers)
    line = {
        "time": time.time(), "request_id": number, "method": method, "path": path, "status": status,
        "user": environ.get("user"), "address": environ.get("REMOTE_ADDR"),
        "ms": round((time.perf_counter() - began) * 1000, 3),
    }  # fmt: skip
    os.write(1, orjson.dumps(line) + b"\n")
    return [content]
