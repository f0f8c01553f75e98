"""Who is looking at what, as told by their tabs every few seconds. Nothing of it is stored."""

import time
from dataclasses import dataclass, field
from typing import Any

from crm_app.core.context import Actor
from crm_app.core.text import initials, tint
from crm_app.store.uow import signal

TOPIC = "look"
BEAT = 20.0  # seconds between two signs of life
_GONE = 3 * BEAT


async def look(actor: Actor, tab: str, place: str) -> None:
    """Tell the others: this tab looks at `place` ("board:<id>", "deal:<id>"); an empty place says it left."""
    await signal(actor, TOPIC, {"u": str(actor.user_id), "n": actor.name, "k": tab, "p": place})


@dataclass
class Presence:
    """What a tab has heard of the others. `tab` names are made up for a watch; never the client's token."""

    me: str
    _seen: dict[str, tuple[str, str, str, float]] = field(default_factory=dict)  # tab -> (user, name, place, when)

    def hear(self, body: dict[str, Any]) -> bool:
        """Take in one word; True when it came from a tab not known before, which wants to hear of us."""
        tab, is_new = body["k"], body["k"] not in self._seen
        if body["p"]:
            self._seen[tab] = (body["u"], body["n"], body["p"], time.monotonic())
        else:
            self._seen.pop(tab, None)
        return is_new and bool(body["p"])

    def at(self, prefix: str) -> dict[str, list[dict[str, Any]]]:
        """Place -> the colleagues there, each once, without me: [{"i": initials, "t": tint, "n": name}]."""
        now = time.monotonic()
        self._seen = {k: v for k, v in self._seen.items() if now - v[3] < _GONE}
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for user, name, place, _ in self._seen.values():
            if user != self.me and place.startswith(prefix):
                who = {"i": initials(name), "t": tint(name), "n": name}
                found.setdefault(place.removeprefix(prefix), {})[user] = who
        return {place: sorted(people.values(), key=lambda p: p["n"]) for place, people in found.items()}
