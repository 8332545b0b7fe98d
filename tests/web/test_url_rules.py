"""URLs are built as Werkzeug builds them, though later."""

from werkzeug.routing import Map, Rule

from app.web.url_rules import LateRule


def test_a_url_is_built_as_by_werkzeugs_own_rule():
    for values in ({"name": "a b/c", "number": 7}, {"name": "kelp", "number": 7, "page": "2&3"}):
        late, own = (
            Map([kind("/reefs/<name>/<int:number>", endpoint="reef"), kind("/reefs", endpoint="reefs")]).bind(
                "sea.example"
            )
            for kind in (LateRule, Rule)
        )
        assert late.build("reef", values) == own.build("reef", values)
        assert late.build("reefs", values, append_unknown=False) == own.build(
            "reefs", values, append_unknown=False
        )


def test_every_rule_of_the_service_is_one(app):
    assert {type(rule) for rule in app.url_map.iter_rules()} == {LateRule}
