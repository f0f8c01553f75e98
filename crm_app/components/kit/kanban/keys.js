// The board by keyboard: arrows walk, Space lifts, arrows carry, Space or Enter drops, Escape puts back.
import { flushSync } from "react-dom";
import { moveTo, neighbour, stepTo, viewOf } from "./model.js";

const WALK = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

export const createKeys = (hub) => {
  let hand = null;
  const carry = (move) => flushSync(() => hub.send({ type: "carry", move }));

  const lift = (id) => {
    const ids = hub.moves.inHand(id);
    const why = hub.moves.hindrance(ids);
    if (why) return hub.moves.refuse(why);
    hand = ids;
    hub.moves.speak("picked_up", { ids });
    hub.send({ type: "lift" });
    carry({ ids, to: null });
  };

  const step = (key) => {
    const move = stepTo(hub.view, hand, key);
    if (!move) return hub.say(hub.labels.edge);
    hub.focusAfter(hand[0]);
    hub.moves.speak("over", move);
    carry(move);
  };

  const end = (move) => {
    const ids = hand;
    hand = null;
    hub.focusAfter(ids[0]);
    if (move) hub.moves.speak("moved", move);
    else hub.moves.speakBack(ids);
    hub.moves.commit(move);
  };

  const carrying = (key) => {
    if (key.startsWith("Arrow")) step(key);
    else if (key === " " || key === "Enter") keys.drop();
    else if (key === "Escape") end(null);
    else return key === "Tab";
    return true;
  };

  const walk = (id, key, extend) => {
    const next = neighbour(hub.view, id, key);
    if (!next) return;
    if (extend) hub.pick.extend(id, next);
    hub.focusNow(next);
  };

  const onCard = (id, key, shift) => {
    if (WALK.includes(key)) walk(id, key, shift && (key === "ArrowUp" || key === "ArrowDown"));
    else if (key === " ") lift(id);
    else if (key === "Enter") hub.open(id);
    else if (key === "m") hub.openMenu(id);
    else if (key === "x") hub.pick.toggle(id, shift);
    else if (key === "Escape" && hub.selection.size) hub.pick.clear();
    else return false;
    return true;
  };

  const keys = {
    onKeyDown(event) {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const used = hand
        ? carrying(key)
        : target.matches("[data-deal]") && onCard(target.dataset.deal, key.length === 1 ? key.toLowerCase() : key, event.shiftKey);
      if (!used) return;
      event.preventDefault();
      event.stopPropagation();
    },

    isCarrying: () => hand !== null,

    // Measured against the board without the carry: a card carried around and back has not moved.
    drop() {
      const { carry: move } = hub.state;
      const home = viewOf({ ...hub.state, carry: null });
      end(move?.to == null ? null : moveTo(home, hand, move.to, move.index));
    },
  };
  return keys;
};
