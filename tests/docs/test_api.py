"""docs/api.md lists every route, documented or not, and every parameter of the list of projects."""

from tests.docs.generate import application, document, other_routes
from tests.docs.pages import DOCS, read, same, section, table, words

PAGE = read(DOCS / "api.md")


def test_every_route_outside_the_document_has_its_line():
    rows = table(section(PAGE, "Routes outside the document"), "Method and path", "For", "Answers")
    same(
        (words(row["Method and path"])[0] for row in rows),
        other_routes(),
        "docs/api.md, Routes outside the document",
    )


def test_these_routes_are_open_to_anyone():
    assert {caller for callers in other_routes().values() for caller in callers} <= {"anyone", "operator"}


def test_every_query_parameter_of_the_list_of_projects_has_its_line():
    with application().app_context():
        operation = document()["paths"]["/projects"]["get"]
    known = {one["name"] for one in operation["parameters"] if one.get("in") == "query"}
    rows = table(section(PAGE, "Query parameters of listProjects"), "Parameter", "Meaning")
    same(
        (word for row in rows for word in words(row["Parameter"])),
        known,
        "docs/api.md, Query parameters of listProjects",
    )
