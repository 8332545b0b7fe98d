"""What the settings say in the OpenAPI document, and what they leave alone."""

from app.web.docs import document


def bodies(app):
    """What answers and requests may hold."""
    with app.app_context():
        spec = document()
    schemas = spec["components"]["schemas"]
    return schemas, {
        (path, verb, status): {kind: told["schema"] for kind, told in answer.get("content", {}).items()}
        for path, item in spec["paths"].items()
        for verb, operation in item.items()
        if isinstance(operation, dict)
        for status, answer in operation["responses"].items()
    }


def test_the_servers(make_app):
    """Absolute behind TLS; relative on a laptop, which is reached by many names."""
    found = {}
    for address in ("http://localhost:8000", "https://api.example.com"):
        app = make_app(public_url=address)
        with app.app_context():
            found[address] = document()
    urls = {address: [server["url"] for server in spec["servers"]] for address, spec in found.items()}
    assert urls == {
        "http://localhost:8000": ["/api/v1"],
        "https://api.example.com": ["https://api.example.com/api/v1"],
    }
    cookies = [spec["components"]["securitySchemes"]["refreshCookie"]["name"] for spec in found.values()]
    assert cookies == ["refresh_token", "__Secure-refresh_token"]


def test_sec_01_the_shortest_password_is_the_settings(make_app):
    app = make_app(password_min_length=15)
    with app.app_context():
        password = document()["components"]["schemas"]["Register"]["properties"]["password"]
    assert password["minLength"] == 15


def test_no_other_setting_changes_what_an_answer_may_hold(app, make_app):
    """So that tests/fixtures/client.py makes ready one document for applications of all settings."""
    other = make_app(
        app_env="production", public_url="https://api.example.com", mailbox_dir=None,
        smtp_url="smtps://mail.example.com", product_name="Reef", read_only=True, cache_enabled=False,
    )  # fmt: skip
    assert bodies(other) == bodies(app)
