"""What `make client` reads off the document, without Node; `make test-clients` compares all that it makes."""

from dev.client_code import GENERATED, operations_module
from tests.docs.generate import application, document


def the_document():
    with application().app_context():
        return document()


def test_what_the_client_knows_of_operations_is_up_to_date():
    committed = (GENERATED / "operations.gen.ts").read_text()
    assert committed == operations_module(the_document()), "run `make client`"


def test_a_key_that_is_declared_and_tokens_that_are_answered_are_seen():
    told = the_document()
    del told["paths"]["/projects"]["post"]["parameters"]
    told["paths"]["/auth/login"]["post"]["responses"]["200"] = {"description": "Nothing."}
    module = operations_module(told)
    taking, rest = module.split("type Choices")
    choosing, giving = rest.split("GIVE_TOKENS")
    assert '"POST /projects",' not in taking
    assert '"PATCH /projects/{project_id}"' in taking
    assert '"POST /auth/login": [' in choosing
    assert '"POST /auth/login"' not in giving
    assert '"POST /auth/step-up"' in giving


def test_answers_that_are_no_json_are_seen():
    filing = operations_module(the_document()).split("GIVE_FILES")[1]
    assert '"GET /projects/{project_id}/files/{file_id}/content"' in filing
    assert '"GET /projects/{project_id}/files/{file_id}"' not in filing
