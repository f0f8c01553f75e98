"""The local JSX files, declared in one module so that they lie side by side and can import each other."""

import reflex as rx

rx.asset("acts.js", shared=True)
rx.asset("ahead.js", shared=True)
ACT_LINK = rx.asset("act_link.jsx", shared=True).importable_path
ANCHORED = rx.asset("anchored.jsx", shared=True).importable_path
ATTACH = rx.asset("attach.jsx", shared=True).importable_path
COMBO = rx.asset("combo.jsx", shared=True).importable_path
rx.asset("conflict.jsx", shared=True)
COMPOSER = rx.asset("composer.jsx", shared=True).importable_path
CONDITIONS = rx.asset("conditions.jsx", shared=True).importable_path
rx.asset("condition_value.jsx", shared=True)
CONNECTION = rx.asset("connection.jsx", shared=True).importable_path
DATA_TABLE = rx.asset("datatable.jsx", shared=True).importable_path
for _part in ("datatable_head.jsx", "datatable_row.jsx", "datatable_rows.js"):
    rx.asset(_part, shared=True)
DIALOG = rx.asset("dialog.jsx", shared=True).importable_path
FIELD_HISTORY = rx.asset("field_history.jsx", shared=True).importable_path
FORM_WATCH = rx.asset("form_watch.jsx", shared=True).importable_path
GIVEN = rx.asset("given.jsx", shared=True).importable_path
FILE_DROP = rx.asset("filedrop.jsx", shared=True).importable_path
HOTKEYS = rx.asset("hotkeys.jsx", shared=True).importable_path
rx.asset("mentions.jsx", shared=True)
INPLACE = rx.asset("inplace.jsx", shared=True).importable_path
MEND = rx.asset("mend.jsx", shared=True).importable_path
MENU = rx.asset("menu.jsx", shared=True).importable_path
NOTICES = rx.asset("notices.jsx", shared=True).importable_path
OPERATION = rx.asset("operation.js", shared=True).importable_path
rx.asset("palette_rows.js", shared=True)
PALETTE = rx.asset("palette.jsx", shared=True).importable_path
PANEL_TABS = rx.asset("panel_tabs.jsx", shared=True).importable_path
PICKS = rx.asset("picks.jsx", shared=True).importable_path
PASSWORD = rx.asset("password.jsx", shared=True).importable_path
REMARK = rx.asset("remark.jsx", shared=True).importable_path
SIDE_PANEL = rx.asset("sidepanel.jsx", shared=True).importable_path
SEARCH_BOX = rx.asset("search_box.jsx", shared=True).importable_path
TOOLTIP = rx.asset("tooltip.jsx", shared=True).importable_path
