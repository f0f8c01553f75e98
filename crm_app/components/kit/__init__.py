"""The design system: small functions that take vars and handlers and know no state. Use it as `kit.<part>`.

Icons      icon, icon_for
Buttons    primary, outline, ghost, success, danger, icon_button, link, link_button, act_link, download, file_link,
           copying
Marks      badge, pill, chip, avatar, avatars, stage_mark, dot, key, sr, clipped; `data_tip=` gives anything a tooltip
Fields     field, text_input, text_area, money_input, date_input, select, combo, checkbox, check, switch, choice_cards,
           search_input, password_input, given_input, described_by, file_drop, attach
In place   props_list, prop, inline_field, field_history, mend, composer, remark
Layout     page_head, crumbs, bar, sums, tabs, tab, panel_tabs, segmented, segment, steps, card, section, panel,
           side_panel, figures
Tables     table, column, sortable, cell, pick_cell, bulk_bar, data_table
Floating   menu, menu_item, menu_choice, menu_link, menu_download, menu_line, menu_heading, popover, anchored,
           dialog, drawer, notices, palette
Builders   condition_builder
Empty      empty_state, board_art, paper_art, people_art, table_art, skeleton, skeleton_rows, skeleton_card, bone
Page       Key, hotkeys, key_help, connection_banner, one_session, on_return, tooltips, native_form, hidden

Classes that need no function: line, stack, grow, push, clip, muted, small, strong, num, good, risk, over, scroll, vr.
"""

from crm_app.components.kit.buttons import (
    act_link,
    copying,
    danger,
    download,
    file_link,
    ghost,
    icon_button,
    link,
    link_button,
    outline,
    primary,
    success,
)
from crm_app.components.kit.combos import combo, picks
from crm_app.components.kit.composers import composer, remark
from crm_app.components.kit.conditions import condition_builder
from crm_app.components.kit.connection import connection_banner, on_return, one_session, tooltips
from crm_app.components.kit.datatables import data_table
from crm_app.components.kit.dialogs import ASKS, dialog, drawer
from crm_app.components.kit.empty import (
    board_art,
    bone,
    empty_state,
    paper_art,
    people_art,
    skeleton,
    skeleton_card,
    skeleton_rows,
    table_art,
)
from crm_app.components.kit.fields import (
    check,
    checkbox,
    choice_cards,
    date_input,
    described_by,
    field,
    given_input,
    moment_input,
    money_input,
    password_input,
    search_input,
    select,
    switch,
    text_area,
    text_input,
)
from crm_app.components.kit.files import attach, file_drop
from crm_app.components.kit.forms import form_watch, hidden, native_form
from crm_app.components.kit.hotkeys import Key, hotkeys, key_help
from crm_app.components.kit.icons import icon, icon_for
from crm_app.components.kit.inline import field_history, inline_field, mend, prop, props_list
from crm_app.components.kit.layout import (
    bar,
    card,
    crumbs,
    figures,
    page_head,
    panel,
    panel_tabs,
    section,
    segment,
    segmented,
    side_panel,
    steps,
    sums,
    tab,
    tabs,
)
from crm_app.components.kit.marks import avatar, avatars, badge, chip, clipped, dot, key, pill, sr, stage_mark
from crm_app.components.kit.menus import (
    anchored,
    menu,
    menu_choice,
    menu_download,
    menu_heading,
    menu_item,
    menu_line,
    menu_link,
    popover,
)
from crm_app.components.kit.notices import notices
from crm_app.components.kit.palettes import palette
from crm_app.components.kit.tables import bulk_bar, cell, column, pick_cell, sortable, table

__all__ = [
    "ASKS",
    "Key",
    "act_link",
    "anchored",
    "attach",
    "avatar",
    "avatars",
    "badge",
    "bar",
    "board_art",
    "bone",
    "bulk_bar",
    "card",
    "cell",
    "check",
    "checkbox",
    "chip",
    "choice_cards",
    "clipped",
    "column",
    "combo",
    "composer",
    "condition_builder",
    "connection_banner",
    "copying",
    "crumbs",
    "danger",
    "data_table",
    "date_input",
    "described_by",
    "dialog",
    "dot",
    "download",
    "drawer",
    "empty_state",
    "field",
    "field_history",
    "figures",
    "file_drop",
    "file_link",
    "form_watch",
    "ghost",
    "given_input",
    "hidden",
    "hotkeys",
    "icon",
    "icon_button",
    "icon_for",
    "inline_field",
    "key",
    "key_help",
    "link",
    "link_button",
    "mend",
    "menu",
    "menu_choice",
    "menu_download",
    "menu_heading",
    "menu_item",
    "menu_line",
    "menu_link",
    "moment_input",
    "money_input",
    "native_form",
    "notices",
    "on_return",
    "one_session",
    "outline",
    "page_head",
    "palette",
    "panel",
    "panel_tabs",
    "paper_art",
    "password_input",
    "people_art",
    "pick_cell",
    "picks",
    "pill",
    "popover",
    "primary",
    "prop",
    "props_list",
    "remark",
    "search_input",
    "section",
    "segment",
    "segmented",
    "select",
    "side_panel",
    "skeleton",
    "skeleton_card",
    "skeleton_rows",
    "sortable",
    "sr",
    "stage_mark",
    "steps",
    "success",
    "sums",
    "switch",
    "tab",
    "table",
    "table_art",
    "tabs",
    "text_area",
    "text_input",
    "tooltips",
]
