"""A view in an address and in its JSON form."""

import pytest

from crm_app.core.conditions import AnyOf, Clause, Not
from crm_app.core.views import ALL, View, dump, from_address, load, to_address

KES = View(
    ("name", "city"), "city", True, AnyOf((Clause("city", "eq", "Linz"), Not(Clause("name", "is_empty")))), "kes"
)
VIEWS = (View(), KES, View(density="compact"), View(filter=Clause("city", "is_filled")), View(sort="name"))


@pytest.mark.parametrize("base", VIEWS, ids=range(len(VIEWS)))
@pytest.mark.parametrize("view", VIEWS, ids=range(len(VIEWS)))
def test_an_address_tells_what_differs_and_nothing_else(view, base):
    address = to_address(view, base)
    assert from_address(address, base) == view
    assert (address == {}) == (view == base)
    assert "" not in address.values()  # routers leave out what is empty


@pytest.mark.parametrize("view", VIEWS, ids=range(len(VIEWS)))
def test_its_json_form_is_read_back(view):
    assert load(dump(view)) == view
    assert view.filter != ALL or "filter" not in dump(view)
