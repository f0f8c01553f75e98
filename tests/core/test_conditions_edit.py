"""Building a condition step by step, as the filter and segment builders do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_app.core.conditions import AllOf, AnyOf, Clause, Condition, Not, Related, Token, edit
from crm_app.core.conditions.tree import children, walk
from crm_app.core.errors import Invalid

A, B, C, D = (Clause(n, "is_empty") for n in "abcd")
TREE = AllOf((A, AnyOf((B, C)), Not(D), Related("deals", "some", AllOf((A, B)))))


def test_add_to_a_group_at_a_place() -> None:
    assert edit.add_clause(AllOf((A, B)), (), C) == AllOf((A, B, C))
    assert edit.add_clause(AllOf((A, B)), (), C, 0) == AllOf((C, A, B))
    assert edit.add_clause(TREE, (1,), D, 1) == AllOf((A, AnyOf((B, D, C)), *TREE.items[2:]))
    assert edit.at(edit.add_clause(TREE, (3,), D), (3, 0)) == AllOf((A, B, D))


def test_add_to_a_single_condition_makes_a_group() -> None:
    assert edit.add_clause(A, (), B) == AllOf((A, B))
    assert edit.at(edit.add_clause(TREE, (2, 0), A), (2,)) == Not(AllOf((D, A)))


def test_update_a_clause() -> None:
    changed = edit.update_clause(TREE, (1, 0), op="eq", value={"days_from_today": -3})
    assert edit.at(changed, (1, 0)) == Clause("b", "eq", Token("days_from_today", -3))
    assert edit.update_clause(changed, (1, 0), op="is_empty", value=None) == TREE
    assert edit.update_clause(A, (), field="z", value=["x"]) == Clause("z", "is_empty", ("x",))
    with pytest.raises(Invalid, match="this is a group"):
        edit.update_clause(TREE, (1,), op="eq")


def test_update_a_relation() -> None:
    assert edit.at(edit.update_relation(TREE, (3,), quantifier="none"), (3,)) == Related("deals", "none", AllOf((A, B)))
    assert edit.at(edit.update_relation(TREE, (3,), relation="quotes"), (3,)) == Related("quotes", "some", AllOf())


def test_remove_takes_emptied_groups_with_it() -> None:
    assert edit.remove(TREE, (0,)) == AllOf(TREE.items[1:])
    assert edit.remove(AllOf((A, AnyOf((Not(B),)))), (1, 0, 0)) == AllOf((A,))
    assert edit.remove(AllOf((A,)), (0,)) == AllOf()
    assert edit.remove(A, ()) == AllOf()
    assert edit.remove(Related("deals", "none", A), (0,)) == Related("deals", "none", AllOf())


def test_wrap_and_unwrap() -> None:
    assert edit.wrap_in_any(AllOf((A, B)), (1,)) == AllOf((A, AnyOf((B,))))
    assert edit.wrap_in_all(A, ()) == AllOf((A,))
    assert edit.wrap_in_not(A, ()) == Not(A)
    assert edit.wrap_in_not(Not(A), ()) == A
    assert edit.unwrap(AllOf((A, AnyOf((B, C)), D)), (1,)) == AllOf((A, B, C, D))
    assert edit.unwrap(Not(A), ()) == A
    assert edit.unwrap(AllOf((AnyOf(()), A)), (0,)) == AllOf((A,))
    with pytest.raises(Invalid, match="nothing around it"):
        edit.unwrap(AllOf((A, B)), ())
    with pytest.raises(Invalid, match="Only a group"):
        edit.unwrap(A, ())


def test_switch_between_all_and_any() -> None:
    assert edit.switch_group(AllOf((A, B)), ()) == AnyOf((A, B))
    assert edit.switch_group(AnyOf((A, B)), ()) == AllOf((A, B))


@pytest.mark.parametrize(
    ("source", "target", "index", "after"),
    [
        ((0,), (), None, (B, C, A)),
        ((0,), (), 3, (B, C, A)),
        ((0,), (), 2, (B, A, C)),
        ((2,), (), 0, (C, A, B)),
        ((1,), (), 1, (A, B, C)),
        ((1,), (), 2, (A, B, C)),
    ],
)
def test_move_within_a_group(
    source: edit.Path, target: edit.Path, index: int | None, after: tuple[Condition, ...]
) -> None:
    assert edit.move(AllOf((A, B, C)), source, target, index) == AllOf(after)


def test_move_between_groups() -> None:
    assert edit.move(TREE, (0,), (1,), 0) == AllOf((AnyOf((A, B, C)), *TREE.items[2:]))
    assert edit.move(TREE, (1, 1), (), 0) == AllOf((C, A, AnyOf((B,)), *TREE.items[2:]))
    assert edit.move(TREE, (0,), (3, 0)) == AllOf((*TREE.items[1:3], Related("deals", "some", AllOf((A, B, A)))))
    assert edit.move(AllOf((A, AnyOf((B,)))), (1, 0), ()) == AllOf((A, AnyOf(), B)), "an emptied group stays in sight"
    for source, target, message in (
        ((1,), (1,), "into itself"),
        ((0,), (2,), "into a group"),
        ((2, 0), (), "whole negation"),
    ):
        with pytest.raises(Invalid, match=message):
            edit.move(TREE, source, target)


def test_a_path_that_leads_nowhere_is_refused() -> None:
    for path in ((9,), (-1,), (0, 0), (1, 5)):
        with pytest.raises(Invalid, match="no longer there"):
            edit.at(TREE, path)
        with pytest.raises(Invalid, match="no longer there"):
            edit.remove(TREE, path)


clauses = st.sampled_from([A, B, C, D])
some_tree = st.recursive(
    clauses,
    lambda t: st.one_of(
        st.lists(t, max_size=3).map(lambda i: AllOf(tuple(i))),
        st.lists(t, max_size=3).map(lambda i: AnyOf(tuple(i))),
        t.map(Not),
    ),
    max_leaves=12,
)


def paths(node: Condition, here: edit.Path = ()) -> list[edit.Path]:
    return [here, *(p for n, c in enumerate(children(node)) for p in paths(c, (*here, n)))]


def leaves(node: Condition) -> list[str]:
    return sorted(n.field for n in walk(node) if isinstance(n, Clause))


@settings(deadline=None, derandomize=True)
@given(some_tree, st.data())
def test_moving_loses_and_doubles_nothing(tree: Condition, data: st.DataObject) -> None:
    source, target = data.draw(st.sampled_from(paths(tree))), data.draw(st.sampled_from(paths(tree)))
    index = data.draw(st.none() | st.integers(0, 3))
    try:
        moved = edit.move(tree, source, target, index)
    except Invalid:
        return
    assert leaves(moved) == leaves(tree)


BOXES = [
    (A, AllOf((A,))),
    (Not(A), Not(AnyOf((A,)))),
    (Not(AllOf((A, B))), Not(AllOf((A, B)))),
    (AllOf((A, Not(Not(B)))), AllOf((A, Not(AnyOf((Not(AnyOf((B,))),)))))),
    (Related("contacts", "none", A), AllOf((Related("contacts", "none", AllOf((A,))),))),
    (AnyOf((A, Related("contacts"))), AnyOf((A, Related("contacts")))),
]


@pytest.mark.parametrize(("kept", "shown"), BOXES, ids=range(len(BOXES)))
def test_a_builder_shows_groups_wherever_one_may_add(kept, shown):
    assert edit.boxed(kept) == shown and edit.boxed(shown) == shown
    assert edit.plain(shown) == kept


def test_groups_left_empty_are_not_kept():
    assert edit.plain(AllOf((AnyOf(), AllOf((A,)), Not(AnyOf())))) == A
    assert edit.plain(AllOf((AnyOf((AllOf(),)),))) == AllOf()
