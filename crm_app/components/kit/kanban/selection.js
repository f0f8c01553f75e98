// Several cards at once: X, Shift with X or the arrows, Ctrl or Shift with a click.
import { rangeBetween } from "./model.js";

export const createSelection = (hub) => {
  let anchor = null;

  const set = (ids) => {
    hub.setSelection(ids);
    hub.props.onSelect?.([...ids]);
  };

  const setAloud = (ids) => {
    set(ids);
    hub.say(ids.size ? hub.labels.selected_count : hub.labels.nothing_selected, { count: ids.size });
  };

  return {
    // `range`: everything from the last card that was picked.
    toggle(id, range = false) {
      const next = new Set(hub.selection);
      if (range && anchor) rangeBetween(hub.view, anchor, id).forEach((each) => next.add(each));
      else if (!next.delete(id)) next.add(id);
      if (!range || !anchor) anchor = id;
      setAloud(next);
    },

    extend(from, to) {
      anchor = to;
      setAloud(new Set([...hub.selection, from, to]));
    },

    clear: () => hub.selection.size && setAloud(new Set()),

    // Cards that were moved together; the move was told already.
    release(ids) {
      const rest = [...hub.selection].filter((id) => !ids.includes(id));
      if (rest.length < hub.selection.size) set(new Set(rest));
    },
  };
};
