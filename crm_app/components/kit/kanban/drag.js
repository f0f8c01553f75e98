// Dragging by mouse, pen and finger. It moves a copy of the card and says where the card would land; what that means
// is decided by the caller. Columns may scroll by themselves inside a board that scrolls sideways.

const START_DISTANCE = 5;
const LONG_PRESS_MS = 220;
const PRESS_SLACK = 10;
const EDGE = 64;
const FASTEST = 18;
const NOT_A_HANDLE = "button, input, textarea, select, label, [contenteditable]";

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const motion = () => {
  const said = getComputedStyle(document.documentElement).getPropertyValue("--slow").trim();
  const duration = parseFloat(said) * (said.endsWith("ms") ? 1 : 1000); // a build writes 240ms as .24s
  return { duration: Number.isNaN(duration) ? 240 : duration, easing: "cubic-bezier(.2, .7, .2, 1)" };
};

export const cardElement = (root, id) => root?.querySelector(`[data-deal="${CSS.escape(String(id))}"]`) ?? null;

const copyOf = (element, rect) => {
  const copy = element.cloneNode(true);
  copy.removeAttribute("data-deal");
  copy.removeAttribute("tabindex");
  copy.setAttribute("aria-hidden", "true");
  copy.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
  copy.querySelectorAll("a, button").forEach((part) => part.setAttribute("tabindex", "-1"));
  copy.classList.add("drag");
  copy.classList.remove("lifted", "carried");
  const box = { left: rect.left, top: rect.top, width: rect.width, height: rect.height };
  for (const [name, size] of Object.entries(box)) copy.style[name] = `${size}px`;
  copy.style.opacity = "";
  return copy;
};

const flights = new Map();

// Flies a copy to where its card lies now; the card shows when the copy has landed (by opacity: what is hidden otherwise
// loses focus). A new flight of the same card ends the one before.
const land = (copy, id, from) => {
  flights.get(id)?.cancel();
  const element = cardElement(copy.parentNode, id);
  const to = element?.getBoundingClientRect();
  if (!to || still()) return copy.remove();
  element.style.opacity = "0";
  const shift = `translate(${to.left - parseFloat(copy.style.left)}px, ${to.top - parseFloat(copy.style.top)}px)`;
  const flight = copy.animate([{ transform: from }, { transform: shift }], motion());
  const done = () => {
    copy.remove();
    if (flights.get(id) === flight) flights.delete(id);
    if (!flights.has(id)) element.style.opacity = "";
  };
  flights.set(id, flight);
  flight.finished.then(done, done);
};

export const placeOf = (root, id) => cardElement(root, id)?.getBoundingClientRect() ?? null;

// A card that was moved by somebody else, or by the server: shows where it came from.
export const fly = (root, id, was) => {
  const now = placeOf(root, id);
  if (!now || still() || Math.hypot(now.left - was.left, now.top - was.top) < 4) return;
  const copy = copyOf(cardElement(root, id), was);
  root.append(copy);
  land(copy, id, "none");
};

const pull = (at, start, end) => {
  const speed = (distance) => Math.ceil(FASTEST * Math.min(1, 1 - Math.max(distance, 0) / EDGE));
  if (at < start + EDGE) return -speed(at - start);
  if (at > end - EDGE) return speed(end - at);
  return 0;
};

const scrollNear = (root, point, column) => {
  const board = root.querySelector("[data-board]");
  const frame = board.getBoundingClientRect();
  board.scrollLeft += pull(point.x, Math.max(frame.left, 0), Math.min(frame.right, window.innerWidth));
  const list = column?.querySelector(".cards");
  if (!list) return;
  if (list.scrollHeight > list.clientHeight + 1 && getComputedStyle(list).overflowY !== "visible") {
    const box = list.getBoundingClientRect();
    list.scrollTop += pull(point.y, box.top, box.bottom);
  } else if (document.documentElement.scrollHeight > window.innerHeight) {
    window.scrollBy(0, pull(point.y, 0, window.innerHeight));
  }
};

const within = (box, { x, y }, slack = 0) =>
  x >= box.left - slack && x <= box.right + slack && y >= box.top - slack && y <= box.bottom + slack;

const indexAt = (column, ids, y) => {
  const list = column.querySelector(".cards");
  const top = list.getBoundingClientRect().top - list.scrollTop;
  const cards = [...list.querySelectorAll(":scope > [data-deal]")].filter((card) => !ids.has(card.dataset.deal));
  // Offsets, not rectangles: a card in the middle of an animation counts where it will be.
  const below = cards.findIndex((card) => y < top + card.offsetTop + card.offsetHeight / 2);
  return below < 0 ? cards.length : below;
};

const placeAt = (root, ids, point, middle) => {
  for (const end of root.querySelectorAll("[data-dock]")) {
    if (within(end.getBoundingClientRect(), point, 4)) return { dock: end.dataset.dock };
  }
  if (!within(root.querySelector("[data-board]").getBoundingClientRect(), point, 48)) return null;
  for (const column of root.querySelectorAll("[data-stage]")) {
    const box = column.getBoundingClientRect();
    if (point.x >= box.left - 4 && point.x <= box.right + 4) {
      return { stage: column.dataset.stage, index: indexAt(column, ids, middle) };
    }
  }
  return null;
};

// The mark on the page makes the browser look at the style of every element: at a lift that is nothing, but a drop has
// better things to do first.
let leaving = 0;
const holdPage = () => {
  clearTimeout(leaving);
  document.documentElement.classList.add("dragging-deal");
};
const leavePage = () => {
  clearTimeout(leaving);
  leaving = setTimeout(() => document.documentElement.classList.remove("dragging-deal"), motion().duration);
};

const same = (a, b) => a?.stage === b?.stage && a?.index === b?.index && a?.dock === b?.dock;

// A click ends every mouse drag; it must not open the deal.
const swallowClick = () => {
  const stop = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  window.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", stop, { capture: true }), 50);
};

class Drag {
  constructor(root, item, event, handlers) {
    this.root = root;
    this.item = item;
    this.id = item.dataset.deal;
    this.pointer = event.pointerId;
    this.touch = event.pointerType === "touch";
    this.start = this.point = { x: event.clientX, y: event.clientY };
    this.handlers = handlers;
    this.over = null;
    this.copy = null;
    this.abort = new AbortController();
    this.listen();
    if (this.touch) this.timer = setTimeout(() => this.lift(), LONG_PRESS_MS);
  }

  listen() {
    const on = (name, handle, options = {}) =>
      window.addEventListener(name, handle, { ...options, signal: this.abort.signal });
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => event.pointerId === this.pointer && this.end(true));
    on("pointercancel", (event) => event.pointerId === this.pointer && this.end(false));
    on("blur", () => this.end(false));
    on("contextmenu", (event) => (this.touch || this.copy) && event.preventDefault(), { capture: true });
    on("keydown", (event) => this.key(event), { capture: true });
  }

  key(event) {
    if (!this.copy) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.end(false);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    this.point = { x: event.clientX, y: event.clientY };
    if (this.copy) return;
    const distance = Math.hypot(this.point.x - this.start.x, this.point.y - this.start.y);
    if (this.touch ? distance > PRESS_SLACK : distance > START_DISTANCE) {
      if (this.touch) this.end(false);
      else this.lift();
    }
  }

  lift() {
    const ids = this.handlers.onLift(this.id);
    if (!ids) return this.end(false);
    this.ids = new Set(ids.map(String));
    const rect = this.item.getBoundingClientRect();
    this.home = rect;
    this.copy = copyOf(this.item, rect);
    if (ids.length > 1) {
      const count = document.createElement("span");
      count.className = "pill count";
      count.textContent = String(ids.length);
      this.copy.append(count);
    }
    this.root.append(this.copy);
    holdPage();
    if (this.touch) navigator.vibrate?.(12);
    this.frame = requestAnimationFrame(() => this.tick());
  }

  tick() {
    const { x, y } = this.point;
    this.shift = `translate(${x - this.start.x}px, ${y - this.start.y}px)`;
    this.copy.style.transform = `${this.shift} rotate(1.6deg)`;
    const middle = this.home.top + this.home.height / 2 + y - this.start.y;
    const over = placeAt(this.root, this.ids, this.point, middle);
    const column = over?.stage ? this.root.querySelector(`[data-stage="${CSS.escape(over.stage)}"]`) : null;
    scrollNear(this.root, this.point, over?.dock ? null : column);
    if (!same(over, this.over)) {
      this.over = over;
      this.handlers.onOver(over, this.home.height);
    }
    this.frame = requestAnimationFrame(() => this.tick());
  }

  end(dropped) {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.abort.abort();
    this.handlers.onGone();
    if (!this.copy) return;
    if (!this.touch) swallowClick();
    this.handlers.onEnd(dropped ? this.over : null);
    land(this.copy, this.id, this.copy.style.transform);
    leavePage();
  }
}

// Watches a press on a card. `handlers`: onLift(id) -> ids in the hand or null, onOver({stage, index} | {dock} | null,
// height), onEnd(place or null), which must have rendered when it returns, and onGone().
export const press = (root, event, handlers) => {
  if (event.button !== 0 || !event.isPrimary || event.ctrlKey || event.metaKey || event.shiftKey) return null;
  const item = event.target.closest("[data-deal]");
  if (!item || event.target.closest(NOT_A_HANDLE)) return null;
  return new Drag(root, item, event, handlers);
};
