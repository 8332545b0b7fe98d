"""What the house asks of files that no import contract can see."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py"))
CLIENT = [path for path in sorted((ROOT / "clients").glob("*/src/**/*.ts")) if "generated" not in path.parts]
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "node_modules" not in path.parts]
MIGRATIONS = sorted((ROOT / "migrations").rglob("*.py"))
BUILT_STATEMENTS = {
    "app/core/media/guarded.py": 1,  # starts our own child with numbers for arguments, and no shell
    "app/core/schema.py": 1,  # GRANT takes no parameters: the role's name is quoted by the driver
}
LONGEST, MEDIAN = 300, 90
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "lib"}
DECISIONS = (
    ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.TryStar, ast.Match, ast.comprehension, ast.BoolOp,
)  # fmt: skip
# What the server's clock stamps itself (heartbeats, the queue's own rows) is compared with clock_timestamp().
SQL_TIME = re.compile(
    r"\b(now\(\)|current_timestamp\b|localtimestamp\b|transaction_timestamp\()", re.IGNORECASE
)


# Where statements are written; web/idempotency.py and others open a unit of work and never look into it.
SPEAKS_SQL = {"repository.py", "listing.py", "models.py", "inventory.py"}


def relative(path):
    return str(path.relative_to(ROOT))


def lines(path):
    return len(path.read_text().splitlines())


def decisions(source):
    """Lines on which something is decided or repeated."""
    return sorted({node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, DECISIONS) and hasattr(node, "lineno")}
                  | {node.target.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.comprehension)})  # fmt: skip


def injections(source):
    """Lines where a value could become code: a statement that is put together, and what runs or revives text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            found += [node.lineno] * bool(names & {"pickle", "marshal", "shelve", "subprocess"})
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            built = name in {"text", "exec_driver_sql"} and node.args and not fixed(node.args[0])
            shell = any(word.arg == "shell" for word in node.keywords)
            runs = isinstance(node.func, ast.Name) and name in {"eval", "exec"}
            of_os = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "os"
            commands = of_os and name.startswith(("system", "popen", "spawn", "exec", "posix_spawn"))
            found += [node.lineno] * bool(built or shell or runs or commands)
    return found


def fixed(argument):
    """A constant text, or a constant's name."""
    return isinstance(argument, ast.Constant) or (isinstance(argument, ast.Name) and argument.id.isupper())


def dice(source):
    """What is taken of the module ``random``, whose next number can be known from the ones before."""
    tree = ast.parse(source)
    taken = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "random"
    }
    return taken | {
        f"from {node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "random"
    }


def sql_times(source):
    """Lines with a text that lets the database say what time it is."""
    tree = ast.parse(source)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and ast.get_docstring(node) is not None
    }
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return [text.lineno for text in texts if id(text) not in prose and SQL_TIME.search(text.value)]


@pytest.mark.parametrize("path", [*SOURCES, *CLIENT, *TESTS], ids=relative)
def test_no_file_is_longer_than_a_person_reads(path):
    assert lines(path) <= LONGEST


def test_most_files_are_short():
    lengths = [lines(path) for path in [*SOURCES, *CLIENT] if lines(path)]
    assert median(lengths) <= MEDIAN


def test_every_file_says_what_it_is():
    places = [*SOURCES, *CLIENT, *ROOT.glob("dev/*.py"), *ROOT.glob("tests/*.py"), *ROOT.glob("tests/*/*.py")]
    assert not [relative(path) for path in places if path.stem in NAMELESS]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name.endswith("routes.py")], ids=relative)
def test_a_route_decides_nothing(path):
    assert decisions(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "if a:\n    b()",
        "def f():\n    return a if b else c",
        "for a in b:\n    c()",
        "while a:\n    b()",
        "try:\n    a()\nexcept E:\n    b()",
        "a = [b for b in c]",
        "a = b or c",
    ],
)
def test_decisions_are_seen(source):
    assert decisions(source)


def sessions_used(source):
    """Lines that take the database session, or its connection, out of a unit of work."""
    nodes = list(ast.walk(ast.parse(source)))
    taken = [
        (node.value, node.lineno)
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in {"session", "connection"}
    ]
    opened = [
        (node.context_expr, node.optional_vars.lineno)
        for node in nodes
        if isinstance(node, ast.withitem) and node.optional_vars
    ]
    return sorted(line for owner, line in taken + opened if "uow" in ast.unparse(owner))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent.name != "core"], ids=relative)
def test_only_repositories_speak_to_the_database(path):
    """The contract `sql` sees imports; a session needs none."""
    if path.name not in SPEAKS_SQL:
        assert sessions_used(path.read_text()) == [], "write it in repository.py, and call that"


def test_a_session_in_a_service_is_seen():
    assert sessions_used("self._uow.session.execute(delete(Project))") == [1]
    assert sessions_used("with self._uow.reading() as session:\n    session.get(Project, key)") == [1]
    assert sessions_used("self._uow.connection.exec_driver_sql('SELECT 1')") == [1]
    assert sessions_used("with self._uow:\n    self._projects.find(key)") == []
    assert sessions_used("parts().session_check.check(key)") == []


@pytest.mark.parametrize("path", [*SOURCES, *MIGRATIONS], ids=relative)
def test_the_database_never_says_what_time_it_is(path):
    """Expiry compares with a bound parameter of the clock, or the test clock would not work across processes."""
    assert sql_times(path.read_text()) == []


def test_time_in_sql_is_seen_and_prose_is_not():
    assert sql_times('"""Never now()."""\nx = text("DELETE FROM a WHERE b < now()")') == [2]
    assert sql_times("sa.Column(server_default=sa.text('CURRENT_TIMESTAMP'))") == [1]
    assert sql_times("x = text('SELECT clock_timestamp()')") == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_sec_55_no_value_becomes_code(path):
    """SEC-55: values reach the database as bound parameters alone."""
    found = injections(path.read_text())
    assert len(found) == BUILT_STATEMENTS.get(relative(path), 0), (
        f"{relative(path)}, lines {found}: bind the value, or say in BUILT_STATEMENTS why none can get in"
    )


@pytest.mark.parametrize(
    "source",
    [
        "text(f'SELECT {x}')",
        "text('a' + b)",
        "s.exec_driver_sql(query)",
        "eval(x)",
        "run(c, shell=True)",
        "os.system(c)",
        "os.popen(c)",
        "os.execvp(c, c)",
        "import pickle",
        "import subprocess",
        "from subprocess import run",
    ],
)
def test_sec_55_code_from_values_is_seen(source):
    assert injections(source) == [1]
    assert injections("text('SELECT 1'); s.exec_driver_sql(QUERY)") == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_chance_is_for_pauses_alone(path):
    """Tokens, codes and keys come from ``secrets``; ``random`` spreads waits, and ruff's S311 asks why at each place."""
    assert dice(path.read_text()) <= {"uniform"}


def test_chance_is_seen():
    assert dice("import random\nrandom.choice(x)") == {"choice"}
    assert dice("from random import choice") == {"from random"}
    assert dice("import secrets\nsecrets.choice(x)") == set()
