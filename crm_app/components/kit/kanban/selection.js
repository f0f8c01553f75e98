// Several cards at once: X, Shift with X or the arrows, Ctrl or Shift with a click.
import { rangeBetween } from "./model.js";

export const createSelection = (hub) => {
  let anchor = null;

  const set = (ids) => {
    hub.setSelection(ids);
    hub.props.onSelect?.([...ids]);
    hub.say(ids.size ? hub.labels.selected_count : hub.labels.nothing_selected, { count: ids.size });
  };

  return {
    // `range`: everything from the last card that was picked.
    toggle(id, range = false) {
      const next = new Set(hub.selection);
      if (range && anchor) rangeBetween(hub.view, anchor, id).forEach((each) => next.add(each));
      else if (!next.delete(id)) next.add(id);
      if (!range || !anchor) anchor = id;
      set(next);
    },

    extend(from, to) {
      anchor = to;
      set(new Set([...hub.selection, from, to]));
    },

    // Without `ids`: all of them.
    clear(ids) {
      const rest = ids ? [...hub.selection].filter((id) => !ids.includes(id)) : [];
      if (rest.length < hub.selection.size) set(new Set(rest));
    },
  };
};
