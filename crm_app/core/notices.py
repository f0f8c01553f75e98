"""What people are told of: every kind is declared once, and everybody chooses for each whether and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """`label` names it in the settings ("Somebody mentions you"), `sentence` is what is told, with {by} for who did it.
    `mail` is whether it also goes by mail until a person says otherwise; `icon` is one of kit.icon_paths, 20 px."""

    name: str
    label: str
    sentence: str
    icon: str = "alert"
    mail: bool = False


_kinds: dict[str, NoticeKind] = {}


def declare_notice(name: str, *, label: str, sentence: str, icon: str = "alert", mail: bool = False) -> NoticeKind:
    """`MENTION = declare_notice("mention", label="Somebody mentions you", sentence="{by} mentioned you")`, in the
    module that tells of it. Names are kept for good: rows and people's choices hold them."""
    kind = NoticeKind(name, label, sentence, icon, mail)
    if _kinds.get(name, kind) != kind:
        raise ValueError(f"two kinds of notices are called {name}")
    _kinds[name] = kind
    return kind


def notice_kinds() -> tuple[NoticeKind, ...]:
    return tuple(_kinds.values())


def find_notice(name: str) -> NoticeKind | None:
    """None for a kind that is not told of any more."""
    return _kinds.get(name)
