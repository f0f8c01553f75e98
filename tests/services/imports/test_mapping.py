"""The mapping file: what does not fit is named with its place and what would fit."""

from pathlib import Path

import pytest

from crm_app.core.errors import Invalid
from crm_app.services.platform.imports.mapping import FillBy, Match, Mode, load_mapping, read_mapping

STEP = "steps:\n  - file: a.csv\n    entity: account\n    columns: {Name: name}\n"


def test_fields_are_found_by_name_short_name_and_label() -> None:
    step = read_mapping(
        "steps: [{file: a.csv, entity: account, columns: {a: name, b: owner, c: Parent account, d: annual_revenue}}]"
    ).steps[0]
    assert dict(step.columns) == {"a": "name", "b": "owner_id", "c": "parent_id", "d": "annual_revenue_minor"}


def test_everything_is_text_whatever_yaml_thinks_of_it() -> None:
    step = read_mapping(STEP + "    constants: {country: no, phone: 007, founded_year: 1999}").steps[0]
    assert dict(step.constants) == {"country": "no", "phone": "007", "founded_year": "1999"}


def test_json_is_a_mapping_too() -> None:
    mapping = read_mapping(
        '{"name": "J", "steps": [{"file": "a.csv", "entity": "account", "key": "name", "columns": {"Name": "name"}}]}'
    )
    assert (mapping.name, mapping.steps[0].mode, mapping.steps[0].match) == ("J", Mode.upsert, Match.exact)


def test_what_empty_cells_are_filled_with() -> None:
    step = read_mapping(
        "steps: [{file: a.csv, entity: opportunity, columns: {n: name, p: product},"
        " if_empty: {amount: {related: product.price_minor}, account: {record: X},"
        " expected_close: [{field: actual_close}, {days_from_today: 90}]}}]"
    ).steps[0]
    assert [f.by for f in step.if_empty["expected_close_on"]] == [FillBy.field, FillBy.days_from_today]
    assert step.if_empty["amount_minor"][0].value == "product_id.price_minor"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: [", "is no YAML: line 1"),
        ("just text", "must hold names and values"),
        ("name: X", "steps: is needed"),
        ("steps: [{file: a.csv, entity: acount}]", r"steps\[1\].entity: must be one of account"),
        ("steps: [{file: a.csv, entity: account, columns: {Name: nmae}}]", "has no field nmae; did you mean name"),
        (
            "steps: [{file: a.csv, entity: opportunity, columns: {H: health}}]",
            "health of opportunities is set by the system",
        ),
        (
            "steps: [{file: a.csv, entity: account, column: {Name: name}}]",
            "column: is not known here; did you mean columns",
        ),
        ("steps: [{file: a.csv, entity: account, columns: {a: name, b: name}}]", "name is filled twice"),
        ("steps: [{file: a.csv, entity: account, columns: {a: name}, key: phone}]", "phone is filled by no column"),
        (
            "steps: [{file: a.csv, entity: account, columns: {a: name}, mode: update}]",
            "key: is needed for the mode update",
        ),
        (
            "steps: [{file: a.csv, entity: account, columns: {a: name}, mode: merge}]",
            "must be one of create, update, upsert",
        ),
        (
            "steps: [{file: ../../etc/passwd, entity: account, columns: {a: name}}]",
            "without a path that leads out of it",
        ),
        ("steps: [{file: /etc/passwd, entity: account, columns: {a: name}}]", "without a path that leads out of it"),
        ("steps: [{entity: account, columns: {a: name}}]", "file: is needed, or `rows`"),
        ("steps: [{file: a.csv, entity: account, columns: {a: name}, currency: EURO}]", "ISO 4217"),
        (
            "steps: [{file: a.csv, entity: account, columns: {a: name}, links: {name: {match: folded}}}]",
            "does not point to a record",
        ),
        (
            "steps: [{file: a.csv, entity: account, columns: {a: name}, if_empty: {city: {weather: 1}}}]",
            "is a constant, or one of",
        ),
        ("a: &x 1\nsteps: [*x]", "uses an alias"),
        ("steps: [{file: a.csv, entity: account, columns: {a: id}}]", "id of accounts is set by the system"),
        ("steps: [{file: a.csv, entity: account, columns: {a: tenant_id}}]", "has no field tenant_id"),
    ],
)
def test_what_does_not_fit_is_named(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_mapping(text)


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="There is no file"):
        load_mapping(tmp_path / "gone.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(Invalid, match="no mapping file"):
        load_mapping(tmp_path / "binary.yaml")
