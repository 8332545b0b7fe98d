"""The service on FastAPI and SQLAlchemy's asynchronous ORM, as their documents recommend."""

import base64
import hashlib
import logging
import os
import re
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import bcrypt
import jwt
import orjson
import redis.asyncio as redis
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, model_validator
from sqlalchemy import DateTime, ForeignKey, String, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.datastructures import MutableHeaders

SECRET = os.environ["JWT_SECRET"]
LIMIT, WINDOW_MS, REFRESH_SECONDS = int(os.environ["RATE_LIMIT"]), 60_000, 14 * 86_400
URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
COUNT = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
engine = create_async_engine(URL, pool_size=int(os.environ["POOL_SIZE"]), max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
cache = redis.from_url(os.environ["REDIS_URL"])
count_script = cache.register_script(COUNT)


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps({"time": record.created, "event": record.getMessage(), **record.fields}).decode()


requests_log = logging.getLogger("requests")
requests_log.setLevel(logging.INFO)
requests_log.propagate = False
requests_log.addHandler(logging.StreamHandler(sys.stdout))
requests_log.handlers[0].setFormatter(JsonLine())


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(100))
    is_active: Mapped[bool] = mapped_column(server_default="true")


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Description = Annotated[str, StringConstraints(max_length=10_000)] | None


class ProjectCreate(BaseModel):
    name: Name
    description: Description = None


class ProjectUpdate(BaseModel):
    name: Name = ""
    description: Description = None
    version: int | None = None

    @model_validator(mode="after")
    def changes_something(self) -> "ProjectUpdate":
        if not self.model_fields_set & {"name", "description"}:
            raise ValueError("nothing to change")
        return self


class ProjectOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    name: str
    description: str | None
    owner_id: uuid.UUID
    created_at: datetime
    updated_at: datetime
    version: int


class Page(BaseModel):
    items: list[ProjectOut]
    next_cursor: str | None


class Proof(BaseModel):
    email: EmailStr
    password: str = Field(min_length=1, max_length=128)


class Tokens(BaseModel):
    access_token: str
    refresh_token: str


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


async def caller(
    request: Request,
    held: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> uuid.UUID:
    try:
        claims = jwt.decode(
            held.credentials if held else "", SECRET, algorithms=["HS256"],
            options={"require": ["sub", "exp", "iat", "jti", "sid"]},
        )  # fmt: skip
        user = uuid.UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        raise HTTPException(401, "unauthorized", {"WWW-Authenticate": "Bearer"}) from None
    request.state.user = claims["sub"]
    return user


async def count(route: str, who: str) -> None:
    if await count_script(keys=[f"limit:{route}:{who}"], args=[WINDOW_MS]) > LIMIT:
        raise HTTPException(429, "rate limited")


def limited(route: str) -> Any:
    async def check(user: Annotated[uuid.UUID, Depends(caller)]) -> None:
        await count(route, str(user))

    return Depends(check)


Session = Annotated[AsyncSession, Depends(session)]
Me = Annotated[uuid.UUID, Depends(caller)]
api = APIRouter(prefix="/api/v1")


@api.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@api.post("/auth/login", response_model=Tokens)
async def sign_in(proof: Proof, request: Request, db: Session) -> Any:
    await count("sign-in", request.client.host if request.client else "")
    user = await db.scalar(select(User).where(User.email == proof.email.lower()))
    hashed = user.password_hash.encode() if user else b""
    if not (
        user
        and await run_in_threadpool(bcrypt.checkpw, proof.password.encode()[:72], hashed)
        and user.is_active
    ):
        raise HTTPException(401, "bad credentials")
    began, refresh = int(time.time()), secrets.token_urlsafe(32)
    claims = {
        "sub": str(user.id), "iat": began, "exp": began + 900, "jti": uuid.uuid4().hex, "sid": uuid.uuid4().hex,
    }  # fmt: skip
    await cache.set(
        f"refresh:{hashlib.sha256(refresh.encode()).hexdigest()}", str(user.id), ex=REFRESH_SECONDS
    )
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "refresh_token": refresh}


@api.get("/projects", response_model=Page, dependencies=[limited("list")])
async def page(
    db: Session, me: Me, limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None
) -> Any:
    order = (Project.created_at.desc(), Project.id.desc())
    wanted = select(Project).where(Project.owner_id == me).order_by(*order).limit(limit + 1)
    if cursor is not None:
        wanted = wanted.where(tuple_(Project.created_at, Project.id) < place(cursor))
    rows = (await db.scalars(wanted)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    following = f"{last.created_at.isoformat()}|{last.id}".encode() if last else b""
    return {"items": rows[:limit], "next_cursor": base64.urlsafe_b64encode(following).decode() or None}


def place(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        when, _, key = base64.urlsafe_b64decode(cursor).decode().partition("|")
        return datetime.fromisoformat(when), uuid.UUID(key)
    except ValueError:
        raise HTTPException(422, "bad cursor") from None


@api.get("/projects/{key}", response_model=ProjectOut, dependencies=[limited("get")])
async def one(key: uuid.UUID, db: Session, me: Me) -> Any:
    project = await db.scalar(select(Project).where(Project.id == key, Project.owner_id == me))
    if project is None:
        raise HTTPException(404, "not found")
    return project


@api.post("/projects", response_model=ProjectOut, status_code=201, dependencies=[limited("create")])
async def create(told: ProjectCreate, db: Session, me: Me) -> Any:
    project = Project(owner_id=me, **told.model_dump())
    db.add(project)
    await db.commit()
    return project


@api.patch("/projects/{key}", response_model=ProjectOut, dependencies=[limited("change")])
async def change(key: uuid.UUID, told: ProjectUpdate, db: Session, me: Me) -> Any:
    changes = told.model_dump(exclude_unset=True, exclude={"version"})
    mine = (Project.id == key, Project.owner_id == me)
    wanted = mine if told.version is None else (*mine, Project.version == told.version)
    statement = update(Project).where(*wanted).values(
        **changes, version=Project.version + 1, updated_at=func.now()
    )  # fmt: skip
    project = await db.scalar(statement.returning(Project))
    if project is None:
        there = told.version is not None and await db.scalar(select(Project.id).where(*mine))
        raise HTTPException(409 if there else 404)
    await db.commit()
    return project


class Wrapped:
    """Request id, security headers and a line for each request, as plain ASGI."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, state = time.perf_counter(), 500, scope.setdefault("state", {})
        number = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), ""
        )
        number = number if REQUEST_ID.fullmatch(number) else uuid.uuid4().hex

        async def send_on(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({**HEADERS, "X-Request-ID": number})
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            fields = {
                "request_id": number, "method": scope["method"], "path": scope["path"], "status": status,
                "user": state.get("user"), "address": scope["client"][0] if scope["client"] else None,
                "ms": round((time.perf_counter() - began) * 1000, 3),
            }  # fmt: skip
            requests_log.info("request", extra={"fields": fields})


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await cache.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
app.include_router(api)
app.add_middleware(CORSMiddleware, allow_origins=["https://app.bench.example"])
app.add_middleware(Wrapped)
