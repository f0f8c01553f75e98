import { useEffect, useRef, useState } from "react";
import { arrived } from "./ahead.js";
import { useReturn } from "./connection.jsx";

// What stands in the boxes of a form; of a box with a list also the words that are seen.
const typedIn = (form) => {
  const typed = Object.fromEntries(new FormData(form ?? undefined));
  for (const combo of form?.querySelectorAll(".combo") ?? []) {
    const box = combo.querySelector("input[type=hidden]");
    if (box) typed[`${box.name}_text`] = combo.querySelector("[role=combobox]").value;
  }
  return typed;
};

/* A native modal dialog: the browser keeps focus inside, makes the rest inert and gives focus back to the opener.

   It stays open over a lost connection. The server may have started anew meanwhile and know nothing of it: it is told
   `memory` again, with all that was typed. */
export function Dialog({ open, onDismiss, id, className, firm, memory, onReturn, children }) {
  const ref = useRef(null);
  useReturn(() => open && memory && onReturn?.(memory, typedIn(ref.current.querySelector("form"))));

  const dismiss = () => {
    ref.current.close();
    onDismiss?.();
  };

  useEffect(() => {
    const el = ref.current;
    if (open && !el.open) {
      el.showModal();
      el.querySelector("[data-autofocus], [aria-invalid=true]")?.focus();
      arrived(el, firm ? undefined : dismiss);
    } else if (!open && el.open) {
      el.close();
    }
  }, [open]);

  return (
    <dialog
      ref={ref}
      id={id}
      className={className}
      aria-labelledby={`${id}-title`}
      onCancel={(e) => {
        if (e.target !== ref.current) return;
        e.preventDefault();
        if (!firm) dismiss();
      }}
      onMouseDown={(e) => {
        if (e.target !== ref.current || firm) return;
        const box = ref.current.getBoundingClientRect();
        const inside =
          e.clientX >= box.left && e.clientX <= box.right && e.clientY >= box.top && e.clientY <= box.bottom;
        if (!inside) dismiss();
      }}
    >
      {open && children}
    </dialog>
  );
}

const NAVIGATION =
  "M2.75 18h18.5a.75.75 0 0 1 .1 1.5H2.75a.75.75 0 0 1-.1-1.5zh18.5zm0-6.5h18.5a.75.75 0 0 1 .1 1.5H2.75a.75.75 0 0 1-.1-1.5zh18.5zm0-6.5h18.5a.75.75 0 0 1 .1 1.5H2.75a.75.75 0 0 1-.1-1.49zh18.5z";

/* The menu button of the top bar and the drawer it opens. A followed link closes it. */
export function Drawer({ label, children }) {
  const ref = useRef(null);
  const [open, setOpen] = useState(false);

  useEffect(() => {
    if (open) ref.current.showModal();
    else if (ref.current.open) ref.current.close();
  }, [open]);

  return (
    <>
      <button
        type="button"
        className="icon-btn"
        aria-label={`Open ${label}`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <svg className="i i24" viewBox="0 0 24 24" aria-hidden="true">
          <path d={NAVIGATION} />
        </svg>
      </button>
      <dialog
        ref={ref}
        className="drawer"
        aria-label={label}
        onClose={() => setOpen(false)}
        onClick={(e) => {
          if (e.target === ref.current || e.target.closest("a, [data-closes]")) setOpen(false);
        }}
      >
        {open && children}
      </dialog>
    </>
  );
}
