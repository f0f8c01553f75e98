import { useEffect, useId, useRef } from "react";

const ITEMS = "[role^=menuitem]:not([aria-disabled=true])";
const GAP = 4;

/* Puts the open popover under its button, or above when there is more room, and keeps it on the screen. */
export function place(box, anchor, end) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: h } = box;
  const below = window.innerHeight - at.bottom - GAP;
  const top = h > below && at.top > below ? at.top - h - GAP : at.bottom + GAP;
  const left = end ? at.right - w : at.left;
  box.style.top = `${Math.max(8, Math.min(top, window.innerHeight - h - 8))}px`;
  box.style.left = `${Math.max(8, Math.min(left, window.innerWidth - w - 8))}px`;
}

/* First child: the button. Second child: the panel. A `menu` panel holds menu items and walks with the arrow keys;
   a `dialog` panel holds anything else, such as filters. */
export function Menu({ kind = "menu", end, label, className, children }) {
  const root = useRef(null);
  const box = useRef(null);
  const id = useId();
  const [button, ...panel] = Array.isArray(children) ? children : [children];
  const trigger = () => root.current.querySelector("button, a");

  useEffect(() => {
    const el = trigger();
    el.setAttribute("aria-haspopup", kind);
    el.setAttribute("aria-controls", id);
    el.setAttribute("aria-expanded", "false");
  }, []);

  const shown = () => box.current.matches(":popover-open");
  const hide = () => {
    if (shown()) box.current.hidePopover();
  };
  const walk = (step) => {
    const items = [...box.current.querySelectorAll(ITEMS)];
    const now = items.indexOf(document.activeElement);
    const next = step === "first" ? 0 : step === "last" ? items.length - 1 : (now + step + items.length) % items.length;
    items[next]?.focus();
  };
  // At once, not when the browser tells of it: by then the person may be typing into another box of the panel.
  const open = () => {
    box.current.showPopover();
    place(box.current, trigger(), end);
    if (kind === "menu") walk("first");
    else box.current.querySelector("input, select, textarea, button, a")?.focus();
  };
  const toggled = (e) => {
    const isOpen = e.newState === "open";
    trigger().setAttribute("aria-expanded", String(isOpen));
    if (!isOpen && box.current.contains(document.activeElement)) trigger().focus();
  };
  const keys = (e) => {
    if (kind !== "menu") return;
    const step = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" }[e.key];
    if (step !== undefined) {
      e.preventDefault();
      walk(step);
    } else if (e.key === "Tab") {
      hide();
    } else if (e.key.length === 1) {
      const hit = [...box.current.querySelectorAll(ITEMS)].find((i) =>
        i.textContent.trim().toLowerCase().startsWith(e.key.toLowerCase()),
      );
      hit?.focus();
    }
  };
  const openByKey = (e) => {
    if (kind === "menu" && (e.key === "ArrowDown" || e.key === "ArrowUp") && !shown()) {
      e.preventDefault();
      open();
    }
  };
  // pointerdown on the button closes the popover before the click: remember, so that the click does not reopen it
  const wasOpen = useRef(false);

  return (
    <span className={`menu-root ${className ?? ""}`} ref={root}>
      <span
        style={{ display: "contents" }}
        onPointerDown={() => (wasOpen.current = shown())}
        onClick={() => {
          if (!wasOpen.current) open();
          wasOpen.current = false;
        }}
        onKeyDown={openByKey}
      >
        {button}
      </span>
      <div
        ref={box}
        id={id}
        popover="auto"
        role={kind}
        aria-label={label}
        className="menu"
        onToggle={toggled}
        onKeyDown={keys}
        onClick={(e) => {
          if (e.target.closest(kind === "menu" ? ITEMS : "[data-closes]")) hide();
        }}
      >
        {panel}
      </div>
    </span>
  );
}
