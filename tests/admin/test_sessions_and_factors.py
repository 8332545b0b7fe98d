"""Ending somebody's sessions, and taking off factors that somebody lost."""

from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.factors import begins, completes


def test_sec_21_sessions_of_one_account_end_and_no_others(ada, alice, bob, anonymous, trail):
    other = alice.signs_in_again()
    assert ada.delete(f"/admin/users/{alice.user.id}/sessions").status_code == 204
    for person in (alice, other):
        assert code_of(person.get("/me")) == (401, "session_revoked")
        assert refreshes(anonymous, person.refresh_token).status_code == 401
    assert bob.get("/me").status_code == ada.get("/admin/stats").status_code == 200
    assert signs_in(anonymous, alice.email).status_code == 200
    assert "session.ended_by_administrator" in trail(alice)


def test_repeating_it_is_fine(ada, alice):
    for _ in range(2):
        assert ada.delete(f"/admin/users/{alice.user.id}/sessions").status_code == 204


def test_their_own_end_too(ada):
    assert ada.delete(f"/admin/users/{ada.user.id}/sessions").status_code == 204
    assert code_of(ada.get("/me")) == (401, "session_revoked")


def test_a_lost_phone(ada, alice, anonymous, enrols, letters, trail, sql):
    app = enrols(alice)
    waiting = begins(anonymous, alice.email)
    assert ada.delete(f"/admin/users/{alice.user.id}/mfa").status_code == 204
    assert code_of(alice.get("/me")) == (401, "session_revoked")
    assert completes(anonymous, waiting, app.code()).status_code == 401
    assert completes(anonymous, waiting, app.recovery_codes[0], "recovery_code").status_code == 401
    signed_in = signs_in(anonymous, alice.email)
    assert (signed_in.json["status"], signed_in.json["user"]["mfa_enabled"]) == ("signed_in", False)
    for table in ("totp_factors", "recovery_codes", "passkeys"):
        assert sql(f"SELECT count(*) FROM {table} WHERE user_id = %s", (str(alice.user.id),)) == [(0,)]
    assert "Your Holdfast second factor was reset" in {mail.subject for mail in letters(alice.email)}
    assert "factors.reset" in trail(alice)


def test_passkeys_go_too(ada, alice, sql):
    sql(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name, transports, aaguid,"
        " backup_eligible, backed_up, created_at) VALUES (gen_random_uuid(), %s, 'a', 'b', 0, 'phone', '[]',"
        " gen_random_uuid(), false, false, now())",
        (str(alice.user.id),),
    )
    sql("UPDATE users SET mfa_enabled = true WHERE id = %s", (str(alice.user.id),))
    assert ada.get(f"/admin/users/{alice.user.id}").json["factors"] == ["passkey"]
    assert ada.delete(f"/admin/users/{alice.user.id}/mfa").status_code == 204
    shown = ada.get(f"/admin/users/{alice.user.id}").json
    assert (shown["factors"], shown["mfa_enabled"]) == ([], False)


def test_without_a_factor_it_is_fine(ada, alice):
    assert ada.delete(f"/admin/users/{alice.user.id}/mfa").status_code == 204


def test_nobody_takes_off_their_own_this_way(ada):
    """That would be a way around the rule that an administrator keeps a factor (``disableTotp`` has it)."""
    assert code_of(ada.delete(f"/admin/users/{ada.user.id}/mfa")) == (403, "forbidden")
    assert ada.get("/admin/stats").status_code == 200


def test_another_administrator_may(ada, grace, anonymous):
    assert ada.delete(f"/admin/users/{grace.user.id}/mfa").status_code == 204
    back = signs_in(anonymous, grace.email)
    assert back.json["status"] == "signed_in"
    assert asks_who_it_is(anonymous, back.json["access_token"]).json["role"] == "admin"
    grace.token = back.json["access_token"]
    assert code_of(grace.get("/admin/stats")) == (403, "mfa_enrolment_required")
