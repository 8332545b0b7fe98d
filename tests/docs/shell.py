"""Runs the curl commands of a document against the application, and compares answers with what is shown."""

import io
import json
import re
import shlex

from tests.docs.pages import FENCE, ROOT

MORE = "…"
SHAPES = [
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
]
WITH_VALUE = {"-X": "method", "-d": "data", "-H": "header", "-F": "form"}


def curls(text):
    """Each curl command of the document, with the answer that is shown right after it, if one is."""
    found = []
    for language, block in FENCE.findall(text):
        if language == "sh":
            found += [[line, None] for line in _lines(block) if line.startswith("curl ")]
        elif language == "json" and found and found[-1][1] is None:
            found[-1][1] = json.loads(block)
    return found


def _lines(block):
    return block.replace("\\\n", " ").splitlines()


def ask(http, command, variables):
    """Send what the command would send."""
    for name, value in variables.items():
        command = command.replace(f"${name}", str(value))
    words = iter(shlex.split(command)[1:])
    method, data, headers, url = None, None, {}, None
    for word in words:
        kind = WITH_VALUE.get(word)
        if kind == "method":
            method = next(words)
        elif kind == "data":
            data = next(words)
        elif kind == "form":
            field, _, path = next(words).partition("=@")
            data = {field: (io.BytesIO((ROOT / path).read_bytes()), path)}
        elif kind == "header":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif not word.startswith("-"):
            url = word
    path = re.sub(r"^http://127\.0\.0\.1:8000", "", url)
    return http.open(
        path, method=method or ("POST" if data else "GET"), data=data, headers=headers, buffered=True
    )


def fits(shown, real):
    """Whether a real answer is what the document shows: ``…`` stands for the rest, ids and times differ."""
    if isinstance(shown, dict):
        told = {key: value for key, value in shown.items() if key != MORE}
        complete = MORE in shown or set(told) == set(real)
        return complete and all(key in real and fits(value, real[key]) for key, value in told.items())
    if isinstance(shown, list):
        return len(shown) == len(real) and all(map(fits, shown, real))
    if isinstance(shown, str) and MORE in shown:
        return isinstance(real, str) and real.startswith(shown.partition(MORE)[0])
    if isinstance(shown, str) and isinstance(real, str):
        return shown == real or any(shape.fullmatch(shown) and shape.fullmatch(real) for shape in SHAPES)
    return shown == real
