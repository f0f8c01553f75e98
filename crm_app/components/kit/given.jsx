import { useEffect, useRef } from "react";

/* A text box of a plain form. What Python gives fills it while it is empty; what was typed before the answer came stays,
   and what is typed next takes the place of what was given. */
export function Given({ given, describedBy, invalid, ...box }) {
  const input = useRef(null);
  useEffect(() => {
    const el = input.current;
    if (!given || el.value) return;
    el.value = given;
    if (document.activeElement === el) el.select();
  }, [given]);
  return <input {...box} ref={input} aria-invalid={invalid || undefined} aria-describedby={describedBy} />;
}
