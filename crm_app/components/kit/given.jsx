import { useEffect, useRef } from "react";

/* A text box of a plain form. What Python gives fills it while it is empty; what was typed before the answer came stays. */
export function Given({ given, describedBy, invalid, ...box }) {
  const input = useRef(null);
  useEffect(() => {
    if (given && !input.current.value) input.current.value = given;
  }, [given]);
  return <input {...box} ref={input} aria-invalid={invalid || undefined} aria-describedby={describedBy} />;
}
