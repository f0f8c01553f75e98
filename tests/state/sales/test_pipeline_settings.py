"""The settings of pipelines as a person works with them: rows, panel, messages."""

import pytest

from crm_app.core.errors import Invalid
from crm_app.models.base import new_id
from crm_app.services.sales import pipelines
from crm_app.state.base import AppState
from crm_app.state.sales.pipelines import PipelinesState, _moved
from crm_app.state.sales.stages import StagePanel, values_of
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.tabs import tab_of


def names(rows):
    return [row["name"] for row in rows]


def last_notice(tab):
    return tab[AppState].notices[-1]["text"]


@pytest.fixture
async def tab(admin):
    made = await tab_of(admin, "/settings/pipelines")
    await made.run(PipelinesState.load)
    return made


def stage_id(tab, name):
    page = tab[PipelinesState]
    return next(s["id"] for s in [*page.stages, *page.ends] if s["name"] == name)


async def test_the_page_shows_the_first_pipeline_with_its_stages(tab):
    page = tab[PipelinesState]
    assert page.is_loaded and names(page.pipelines) == ["New business"]
    assert names(page.stages) == ["Qualify", "Discovery", "Proposal", "Negotiation", "Contract"]
    assert [s["step"] for s in page.stages] == ["s1", "s3", "s5", "s6", "s8"]
    assert names(page.ends) == ["Won", "Lost"]
    assert (page.stages[0]["chance"], page.stages[0]["limit"]) == ("10\u00a0%", "14 d")


async def test_the_address_chooses_the_pipeline(admin, tab):
    async with unit_of_work(admin) as uow:
        made = await pipelines.create(uow, name="Renewals")
    tab.go(f"/settings/pipelines?p={made.id}")
    await tab.run(PipelinesState.load)
    assert tab[PipelinesState].pipeline_name == "Renewals"
    for nonsense in (new_id(), "x"):
        tab.go(f"/settings/pipelines?p={nonsense}")
        await tab.run(PipelinesState.load)
        assert tab[PipelinesState].pipeline_name == "New business"


def of(tab, *parts):
    """What the panel shows, as the browser sends it."""
    return [str(tab[StagePanel].stage[name]) for name in parts]


async def save(tab, form):
    shown = ("id", "kind", "version")
    await tab.run(StagePanel.save, {**form, **dict(zip(shown, of(tab, *shown), strict=True))})


async def test_a_new_pipeline_is_shown_at_once(tab):
    await tab.run(PipelinesState.open, "")
    await tab.run(PipelinesState.save, {"name": "", "description": ""})
    assert tab[PipelinesState].is_open and tab[PipelinesState].errors == {"name": "Is required"}
    await tab.run(PipelinesState.save, {"name": "Renewals", "description": ""})
    page = tab[PipelinesState]
    assert not page.is_open and page.pipeline_name == "Renewals" and len(page.stages) == 5
    assert "Renewals is ready" in last_notice(tab)


async def test_stages_move_one_place_and_it_is_said(tab):
    await tab.run(PipelinesState.move_stage, stage_id(tab, "Qualify"), 1)
    assert names(tab[PipelinesState].stages)[:2] == ["Discovery", "Qualify"]
    assert tab[PipelinesState].said == "Qualify, position 2 of 5"
    await tab.run(PipelinesState.move_stage, stage_id(tab, "Discovery"), -1)
    assert names(tab[PipelinesState].stages)[:2] == ["Discovery", "Qualify"]


@pytest.mark.parametrize(
    ("record_id", "by", "order"), [("b", -1, "bac"), ("c", 1, "abc"), ("a", 9, "bca"), ("x", 1, "abc")]
)
def test_moving_keeps_to_the_list(record_id, by, order):
    assert "".join(_moved(list("abc"), record_id, by)) == order


async def test_a_stage_is_saved_and_its_deals_follow(tab, alice):
    await a_deal(alice)
    await tab.run(StagePanel.open, stage_id(tab, "Qualify"))
    form = {"name": "First talk", "probability": "15 %", "rotting_days": "", "color": "7", "need.next_step": "on"}
    await save(tab, form)
    panel = tab[StagePanel]
    assert (panel.stage["name"], panel.stage["probability"], panel.stage["rotting_days"]) == ("First talk", "15", "")
    assert panel.stage["required"] == ["next_step"] and panel.errors == {}
    assert last_notice(tab) == "First talk saved; 1 open deal follows, at 15\u00a0%"
    row = tab[PipelinesState].stages[0]
    assert (row["name"], row["step"], row["needs"], row["limit"]) == ("First talk", "s7", ["Next step"], "–")
    await save(tab, {**form, "name": "Talk"})  # the panel knows the new version
    assert tab[PipelinesState].stages[0]["name"] == "Talk"


async def test_what_is_wrong_stands_at_its_box(tab):
    await tab.run(StagePanel.open, stage_id(tab, "Qualify"))
    await save(tab, {"name": "X", "probability": "high", "rotting_days": "-3"})
    assert set(tab[StagePanel].errors) == {"probability", "rotting_days"} and tab[StagePanel].is_open
    await save(tab, {"name": "Proposal", "probability": "10", "rotting_days": "0"})
    assert set(tab[StagePanel].errors) == {"rotting_days"}
    await save(tab, {"name": "Proposal", "probability": "10", "rotting_days": "3"})
    assert set(tab[StagePanel].errors) == {"name"}
    assert tab[PipelinesState].stages[0]["name"] == "Qualify"


async def test_a_new_stage_opens_with_the_chance_of_the_last(tab):
    await tab.run(StagePanel.open, "")
    assert tab[StagePanel].stage["probability"] == "90" and tab[StagePanel].stage["id"] == ""
    await save(tab, {"name": "Legal", "probability": "95", "rotting_days": "5", "color": "0"})
    assert names(tab[PipelinesState].stages)[-1] == "Legal" and tab[StagePanel].stage["id"]


async def test_an_end_is_renamed_and_nothing_else(tab):
    await tab.run(StagePanel.open, stage_id(tab, "Won"))
    await save(tab, {"name": "Signed", "probability": "5", "rotting_days": "9"})
    assert names(tab[PipelinesState].ends) == ["Signed", "Lost"]
    assert tab[PipelinesState].ends[0]["probability"] == "100"


async def test_a_full_stage_is_not_removed_and_an_empty_one_is(tab, alice):
    await a_deal(alice)
    await tab.run(StagePanel.open, stage_id(tab, "Qualify"))
    await tab.run(StagePanel.remove, *of(tab, "id", "name"))
    assert "1 deal is in Qualify" in last_notice(tab) and tab[StagePanel].is_open
    await tab.run(StagePanel.open, stage_id(tab, "Contract"))
    await tab.run(StagePanel.remove, *of(tab, "id", "name"))
    assert not tab[StagePanel].is_open and "Contract" not in names(tab[PipelinesState].stages)


async def test_two_admins_at_once_do_not_overwrite_each_other(tab, admin):
    other = await tab_of(admin, "/settings/pipelines")
    await other.run(PipelinesState.load)
    for each in (tab, other):
        await each.run(StagePanel.open, stage_id(each, "Qualify"))
    await save(tab, {"name": "Mine", "probability": "10", "rotting_days": ""})
    await save(other, {"name": "Theirs", "probability": "10", "rotting_days": ""})
    assert "meanwhile" in last_notice(other)
    await tab.run(PipelinesState.load)
    assert names(tab[PipelinesState].stages)[0] == "Mine"


async def test_a_reader_sees_but_does_not_change(reader):
    tab = await tab_of(reader, "/settings/pipelines")
    await tab.run(PipelinesState.load)
    assert len(tab[PipelinesState].stages) == 5 and "stage_update" not in tab[AppState].rights
    first = tab[PipelinesState].stages[0]["id"]
    await tab.run(PipelinesState.move_stage, first, 1)
    assert "role" in last_notice(tab)
    await tab.run(StagePanel.open, first)
    await save(tab, {"name": "Mine", "probability": "10", "rotting_days": ""})
    await tab.run(PipelinesState.rest, tab[PipelinesState].pipeline_id)
    await tab.run(PipelinesState.load)
    assert names(tab[PipelinesState].stages)[0] == "Qualify"


async def test_another_tenant_sees_its_own_alone(admin, mallory, tab):
    theirs = await tab_of(mallory, f"/settings/pipelines?p={tab[PipelinesState].pipeline_id}")
    await theirs.run(PipelinesState.load)
    assert theirs[PipelinesState].pipeline_id != tab[PipelinesState].pipeline_id
    await theirs.run(PipelinesState.rest, tab[PipelinesState].pipeline_id)
    assert "does not exist" in last_notice(theirs)


@pytest.mark.parametrize("text", ["", "abc", "12.5", "-1", "١٢", "9" * 20])
def test_chances_are_whole_numbers(text):
    with pytest.raises(Invalid):
        values_of({"name": "x", "probability": text}, is_end=False)
