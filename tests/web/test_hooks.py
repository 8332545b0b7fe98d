"""What runs before and after each request, and in which order."""

from app.core.recent import Recent
from app.web.parser import QUERIES_KEPT


def names(hooks):
    return [getattr(hook, "__name__", repr(hook)) for hook in hooks]


def test_identity_before_the_limit_before_the_session(app):
    assert names(app.before_request_funcs[None]) == [
        "_begin", "_read_token", "_check_request_limit", "_claim_place", "_guard",
    ]  # fmt: skip


def test_libraries_look_at_answers_only_where_they_have_something_to_say(app):
    """Flask calls them from the last to the first: headers and the log line come last."""
    assert names(app.after_request_funcs[None]) == ["_finish", "answer_to_its_origin"]


class TestQueriesReadBefore:
    def test_the_same_question_has_the_same_answer(self, alice):
        for name in ("Reef one", "Reef two"):
            alice.creates(name)
        for _ in range(3):
            page = alice.get("/projects?limit=1&sort=name&q=reef").get_json()
            assert [item["name"] for item in page["items"]] == ["Reef one"]
        assert len(alice.get("/projects?limit=2&sort=name&q=reef").get_json()["items"]) == 2

    def test_the_same_query_of_another_operation_is_another_one(self, alice):
        assert alice.get("/projects?limit=5").status_code == 200
        assert alice.get(f"/projects/{alice.creates().id}?limit=5").status_code == 422

    def test_a_fault_is_one_each_time(self, alice):
        for query in ("limit=0", "limit=1&limit=2", "nonsense=1", "q=%ff"):
            assert {alice.get(f"/projects?{query}").status_code for _ in range(3)} <= {400, 422}

    def test_what_came_first_is_forgotten_first(self):
        kept = Recent(2)
        for number in range(QUERIES_KEPT):
            kept.put(number, str(number))
        assert [kept.get(QUERIES_KEPT - back) for back in (1, 2, 3)] == [
            str(QUERIES_KEPT - 1), str(QUERIES_KEPT - 2), None,
        ]  # fmt: skip
