"""What the sign-in pages say, and where they may send people on to."""

import pytest

from crm_app.state.people.sign_in import ERRORS, explain, inside


def test_without_an_error_nothing_is_said():
    assert explain("") == ("", "")


def test_the_tries_that_are_left_are_told():
    assert explain("credentials", left="3") == ("password", "E-mail and password do not match. 3 tries left")
    assert explain("credentials", left="1")[1].endswith("1 try left")


def test_a_throttled_person_learns_how_long_to_wait():
    assert "Wait 4 min" in explain("throttled", minutes="4")[1]
    assert "Wait 15 min" in explain("throttled", minutes="<b>")[1]


@pytest.mark.parametrize("code", [*ERRORS, "something new"])
def test_every_code_has_a_sentence_without_holes(code):
    field, sentence = explain(code)
    assert field in {"form", "email", "password", "name", "workspace"}
    assert sentence and "{" not in sentence


@pytest.mark.parametrize("page", ["https://evil.example", "//evil.example/x", "/\\evil.example", "javascript:alert(1)"])
def test_another_host_cannot_be_smuggled_in(page):
    assert inside(page) == ""


def test_a_page_of_ours_is_kept_with_its_filters():
    assert inside("/pipeline?owner=me") == "/pipeline?owner=me"
