import { useEffect, useLayoutEffect, useRef } from "react";

/* A panel that opens beside the sheet. It takes the focus, Esc closes it, and the focus goes back to where it was. */
export function SidePanel({ label, className = "", onDismiss, children }) {
  const box = useRef(null);
  const opener = useRef(null);

  // before anything of it is seen, so that Esc finds it
  useLayoutEffect(() => {
    opener.current = document.activeElement;
    box.current.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const moved = (e) => {
      if (!box.current?.contains(e.target) && !e.target.closest?.("dialog")) opener.current = e.target;
    };
    document.addEventListener("focusin", moved);
    return () => {
      document.removeEventListener("focusin", moved);
      const isNowhere = !document.activeElement || document.activeElement === document.body;
      if (isNowhere && opener.current?.isConnected) opener.current.focus();
    };
  }, []);

  const keys = (e) => {
    if (e.key !== "Escape" || e.defaultPrevented) return;
    e.preventDefault();
    onDismiss?.();
  };

  return (
    <aside ref={box} className={`panel aside ${className}`} aria-label={label} tabIndex={-1} onKeyDown={keys}>
      {children}
    </aside>
  );
}
