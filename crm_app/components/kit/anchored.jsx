import { useEffect, useRef } from "react";
import { arrived } from "./ahead.js";
import { place } from "./menu.jsx";

/* A panel that Python opens beside what `anchor` selects. It stays open while somebody works in it elsewhere: Esc and its
   own buttons close it, a press outside only when `loose` says that nothing would be lost. */
export function Anchored({ open = false, anchor = "", label, className = "", loose = true, onDismiss, children }) {
  const box = useRef(null);
  const opener = useRef(null);
  const now = useRef({});
  now.current = { loose, onDismiss };

  useEffect(() => {
    const el = box.current;
    if (!open) {
      const was = el.contains(document.activeElement) || document.activeElement === document.body;
      if (el.matches(":popover-open")) {
        el.hidePopover();
        if (was) (opener.current?.isConnected ? opener.current : document.querySelector(anchor))?.focus?.();
      }
      return undefined;
    }
    opener.current = document.activeElement;
    const put = () => {
      const at = document.querySelector(anchor) ?? document.querySelector("main") ?? document.body;
      place(el, at);
    };
    if (!el.matches(":popover-open")) el.showPopover();
    put();
    if (!el.contains(document.activeElement)) el.focus({ preventScroll: true });
    arrived(el, () => now.current.onDismiss?.());
    const outside = (e) => {
      if (now.current.loose && !el.contains(e.target) && !e.target.closest?.("[popover], dialog")) now.current.onDismiss?.();
    };
    const grown = new ResizeObserver(put);
    grown.observe(el);
    window.addEventListener("resize", put);
    document.addEventListener("pointerdown", outside);
    return () => {
      grown.disconnect();
      window.removeEventListener("resize", put);
      document.removeEventListener("pointerdown", outside);
    };
  }, [open, anchor]);

  const keys = (e) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    e.preventDefault();
    onDismiss?.();
  };
  return (
    <div ref={box} popover="manual" role="dialog" aria-label={label} tabIndex={-1} className={`menu anchored ${className}`} onKeyDown={keys}>
      {children}
    </div>
  );
}
