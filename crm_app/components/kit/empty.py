"""What stands where there is nothing yet: empty states and skeletons."""

import reflex as rx

Child = rx.Component | rx.Var | str

_LINE = "var(--border-strong)"


def _rect(x: int, y: int, width: int, height: int, r: int, fill: str, stroke: str = "none") -> rx.Component:
    return rx.el.rect(x=x, y=y, width=width, height=height, rx=r, fill=fill, stroke=stroke)


def _drawing(*shapes: rx.Component) -> rx.Component:
    return rx.el.svg(*shapes, view_box="0 0 168 104", class_name="art", aria_hidden="true")


def _bars(x: int, *rows: tuple[int, int, int]) -> list[rx.Component]:
    return [_rect(x, y, width, height, height // 2, "var(--gray-5)") for y, width, height in rows]


def board_art() -> rx.Component:
    """Three columns with cards."""
    columns = [_rect(12 + 50 * i, 8, 44, 88, 6, "var(--surface-sunken)", _LINE) for i in range(3)]
    cards = [
        _rect(17 + 50 * i, 16 + 26 * n, 34, 20, 4, "var(--surface-raised)", _LINE)
        for i, count in enumerate((3, 2, 1))
        for n in range(count)
    ]
    marks = [_rect(22 + 50 * i, 22, 20, 4, 2, "var(--accent-9)" if i == 2 else "var(--gray-5)") for i in range(3)]
    return _drawing(*columns, *cards, *marks)


def paper_art() -> rx.Component:
    """Two sheets, the front one with lines of text."""
    return _drawing(
        _rect(24, 20, 74, 84, 6, "var(--surface-sunken)", _LINE),
        _rect(58, 6, 80, 92, 6, "var(--surface-raised)", _LINE),
        *_bars(70, (20, 34, 6), (36, 56, 4), (46, 56, 4), (56, 42, 4)),
        _rect(70, 74, 30, 10, 5, "var(--accent-9)"),
    )


def people_art() -> rx.Component:
    """A list with round marks."""
    rows = [
        shape
        for n, width in enumerate((56, 40, 48))
        for shape in (
            rx.el.circle(cx=50, cy=26 + 26 * n, r=8, fill="var(--accent-9)" if n == 0 else "var(--gray-5)"),
            _rect(66, 23 + 26 * n, width, 6, 3, "var(--gray-5)"),
        )
    ]
    return _drawing(_rect(30, 6, 108, 92, 6, "var(--surface-raised)", _LINE), *rows)


def table_art() -> rx.Component:
    """A table with one lit row."""
    lines = [_rect(24, 30 + 18 * n, 120, 1, 0, _LINE) for n in range(4)]
    cells = [_rect(32 + 40 * c, 37 + 18 * r, 24, 4, 2, "var(--gray-5)") for r in range(3) for c in range(3)]
    return _drawing(
        _rect(24, 8, 120, 88, 6, "var(--surface-raised)", _LINE),
        *_bars(32, (18, 34, 5)),
        *lines,
        *cells,
        _rect(32, 37, 24, 4, 2, "var(--accent-9)"),
    )


def empty_state(
    art: rx.Component, title: Child, text: Child, *actions: rx.Component, whole_page: bool = False
) -> rx.Component:
    """A small drawing of the thing, what is not there, what it would bring, one action.

    `whole_page` makes the title the h1, where no page head holds one.
    """
    heading = rx.el.h1(title) if whole_page else rx.el.h2(title)
    return rx.el.div(art, heading, rx.el.p(text), rx.el.div(*actions, class_name="line wrap acts"), class_name="empty")


def bone(width: str, height: int = 10, *, round: bool = False) -> rx.Component:
    """One grey bar of a skeleton."""
    style = {"width": width, "height": f"{height}px"}
    return rx.el.span(class_name="sk", style={**style, "borderRadius": "50%"} if round else style)


def skeleton(*shapes: rx.Component, label: str, class_name: str = "") -> rx.Component:
    """Grey bars in the shape of what comes; appears after 200 ms, and never for a refresh of what is there."""
    return rx.el.div(
        rx.el.span(label, class_name="sr"), *shapes, class_name=f"skeleton {class_name}".strip(), role="status"
    )


def skeleton_rows(label: str, rows: int = 8) -> rx.Component:
    """The skeleton of a table or a list."""
    widths = ("38%", "52%", "44%", "60%")
    return skeleton(
        *[
            rx.el.div(bone("24px", 24, round=True), bone(widths[n % 4]), bone("72px", 8), class_name="sk-row")
            for n in range(rows)
        ],
        label=label,
    )


def skeleton_card() -> rx.Component:
    """The skeleton of a card on the board."""
    return rx.el.div(
        bone("70%"),
        bone("48%", 8),
        rx.el.div(bone("64px"), rx.el.span(bone("36px", 8), class_name="push"), class_name="line"),
        rx.el.div(bone("92px", 20), rx.el.span(bone("24px", 24, round=True), class_name="push"), class_name="line"),
        class_name="deal sk-card",
    )
