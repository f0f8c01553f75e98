import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_app.core.text import clip, digits, fold, initials, label_of, lower, name_key, sort_key


def test_fold() -> None:
    assert fold("Køhler  ŁÓDŹ") == "kohler lodz"
    assert fold("Straße") == fold("STRASSE") == fold("STRAẞE") == "strasse"
    assert fold("Þór ÞÓR Œuvre Đà Ðorn ıIİ") == "thor thor oeuvre da dorn iii"
    assert fold("Ａｃｍｅ №𝐀") == "acme noa"
    assert fold("") == ""


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert len(sort_key(text * 100)) <= 200


@given(st.text())
def test_lower_keeps_letter_by_letter(text: str) -> None:
    assert len(lower(text)) == len(text)
    assert lower(lower(text)) == lower(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GTXPro", "GTX Pro"),
        ("Acme Corp.", "ACME"),
        ("Acme S.A.", "acme sa"),
        ("Rossi S.r.l.", "Rossi SRL"),
        ("Meyer GmbH & Co. KG", "Meyer GmbH & Co KG"),
        ("Johnson & Johnson", "Johnson and Johnson"),
        ("Müller AG", "muller"),
        ("株式会社 トヨタ", "株式会社トヨタ"),
    ],
)
def test_two_spellings_of_a_name_meet(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("株式会社", "有限会社"),
        ("Альфа", "Бета"),
        ("AG Insurance", "Insurance"),
        ("AB", "AG"),
        ("!!!", "???"),
        ("Co-op Bank", "Op Bank"),
    ],
)
def test_names_of_others_do_not_meet(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert name_key(one) != ""


def test_small_ones() -> None:
    assert [initials(n) for n in ("Dana Roth", "dana", "Jean-Luc Picard", "", "?")] == ["DR", "DA", "JP", "?", "?"]
    assert label_of("primary_contact_id") == "Primary contact" and label_of("amount_minor") == "Amount"
    assert clip("abcdef", 6) == "abcdef" and clip("abcdefg", 6) == "abcde…" and clip("abcd efg", 6) == "abcd…"
    assert digits("+49 170 1234567") == digits("0170 1234567") == "1701234567"
