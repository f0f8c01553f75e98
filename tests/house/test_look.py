"""The look keeps its promises: colours can be read, names resolve, nothing is fetched from elsewhere."""

import re
from pathlib import Path

import pytest

from crm_app.components.theme import STYLESHEETS

ASSETS = Path(__file__).parents[2] / "assets"
CSS = {path.name: path.read_text() for path in sorted((ASSETS / "css").glob("*.css"))}
TONES = ("success", "warning", "danger")
GROUNDS = ("surface", "canvas", "surface-sunken", "surface-hover", "surface-selected", "surface-raised")
TEXT_PAIRS = [
    *[(text, ground) for text in ("text", "muted") for ground in GROUNDS],
    *[("link", ground) for ground in ("surface", "canvas", "surface-hover", "surface-selected")],
    *[
        (f"{tone}-text", ground)
        for tone in ("success", "warning", "danger")
        for ground in (f"{tone}-soft", *GROUNDS[:5])
    ],
    *[(f"on-{tone}", ground) for tone in TONES for ground in (tone, f"{tone}-hover")],
    *[("on-accent", f"accent-{step}") for step in (9, 10)],
    *[("accent-11", f"accent-{step}") for step in (3, 4)],
    *[("on-stage", f"stage-{step}") for step in range(1, 9)],
    *[(f"tint-{step}-text", f"tint-{step}") for step in range(1, 9)],
]
MARK_PAIRS = [
    *[(f"{tone}-mark", "surface") for tone in TONES],
    *[("border-field", ground) for ground in ("surface", "surface-sunken")],
    *[("focus", ground) for ground in ("surface", "canvas", "surface-sunken", "surface-selected")],
]


def colours(mode: str) -> dict[str, str]:
    """The tokens of a mode, with references followed."""
    block = re.search(r":root, \.light \{(.*?)\n\}", CSS["tokens.css"], re.DOTALL).group(1)
    if mode == "dark":
        block += re.search(r"\n\.dark \{(.*?)\n\}", CSS["tokens.css"], re.DOTALL).group(1)
    raw = dict(re.findall(r"--([\w-]+): ([^;]+);", block))
    return {name: raw[value[6:-1]] if value.startswith("var(--") else value for name, value in raw.items()}


def luminance(hex_colour: str) -> float:
    digits = hex_colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("least", "pairs"), [(4.5, TEXT_PAIRS), (3.0, MARK_PAIRS)], ids=["text", "marks"])
def test_colours_can_be_told_apart(mode, least, pairs):
    tokens = colours(mode)
    weak = [(a, b, round(r, 2)) for a, b in pairs if (r := contrast(tokens[a], tokens[b])) < least - 0.02]
    assert weak == []


def test_every_style_sheet_is_loaded_once():
    assert sorted(STYLESHEETS) == sorted(f"/css/{name}" for name in CSS)


def test_every_custom_property_is_defined():
    text = "\n".join(CSS.values())
    defined = set(re.findall(r"(--[\w-]+):", text))
    given_in_pages = {"--w"}
    assert set(re.findall(r"var\((--[\w-]+)", text)) - defined - given_in_pages == set()


def test_nothing_comes_from_another_host():
    places = [*(ASSETS / "css").glob("*.css"), *(ASSETS.parent / "crm_app" / "components").rglob("*.jsx")]
    outside = [path.name for path in places if re.search(r"https?://(?!www\.w3\.org)", path.read_text())]
    assert outside == []


def test_no_part_of_radix_themes_is_used():
    """One of them would bring 84 KB of style sheet back to every page."""
    radix = re.compile(
        r"\brx\.(?!el\b)(button|text|heading|box|flex|hstack|vstack|dialog|menu|select|input|badge|avatar|table|tabs|link|grid)\("
    )
    screens = [path for layer in ("components", "pages") for path in (ASSETS.parent / "crm_app" / layer).rglob("*.py")]
    found = [f"{path.name}: {m.group()}" for path in screens for m in radix.finditer(path.read_text())]
    assert found == []
