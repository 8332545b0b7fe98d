"""Commands that print what the code says about itself."""

import json

from flask import Flask

from app.core.access import Caller


def test_openapi_write_writes_what_the_service_answers(flask, anonymous, tmp_path):
    path = tmp_path / "openapi.json"
    result = flask("openapi", "write", path)
    assert result.exit_code == 0
    assert result.output == f"Wrote {path}.\n"
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == anonymous.get("/openapi.json").json
    assert text.endswith("}\n")
    assert '\n  "' in text


def test_openapi_write_is_the_same_every_time(flask, tmp_path):
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path in paths:
        flask("openapi", "write", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_openapi_write_into_no_folder_is_one_clear_line(flask, tmp_path):
    result = flask("openapi", "write", tmp_path)
    assert result.exit_code == 2
    assert "is a directory" in result.output


def test_callers_lists_every_route_once_with_who_may_call_it(flask, app):
    """SEC-37."""
    result = flask("callers")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(lines) == len(list(app.url_map.iter_rules()))
    known = {caller.value for caller in Caller}
    for line in lines:
        assert any(line.endswith(f" {caller}") for caller in known), line
    told = {tuple(line.split(maxsplit=3)) for line in lines}
    assert ("GET", "/api/v1/projects", "listProjects", "account") in told
    assert ("POST", "/api/v1/auth/login", "signIn", "anyone") in told
    assert (
        "DELETE",
        "/api/v1/projects/<uuid:project_id>/permanently",
        "purgeProject",
        "account with step-up",
    ) in told


def test_callers_shouts_where_a_route_declares_none(make_app):
    from tests.fixtures.command_line import command_line

    app: Flask = make_app()
    app._got_first_request = False
    app.add_url_rule("/forgotten", "forgotten", lambda: "hello")
    (line,) = [line for line in command_line(app)("callers").output.splitlines() if "/forgotten" in line]
    assert line.endswith("NOBODY: declares no caller")
