import { useEffect, useRef } from "react";

/* Tells what stands in the named boxes of its form: at first, and a moment after somebody stopped typing when it changed. */
export function FormWatch({ names = [], pause = 350, onTyped }) {
  const here = useRef(null);
  const tell = useRef(onTyped);
  tell.current = onTyped;
  const wanted = names.join();

  useEffect(() => {
    const form = here.current.closest("form");
    if (!form || !wanted) return undefined;
    let timer;
    let before = "";
    const look = () => {
      const typed = new FormData(form);
      const values = Object.fromEntries(wanted.split(",").map((n) => [n, String(typed.get(n) ?? "")]));
      const text = JSON.stringify(values);
      if (text === before) return;
      before = text;
      tell.current?.(values);
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(look, pause);
    };
    look();
    const events = ["input", "change", "focusout"];
    events.forEach((name) => form.addEventListener(name, soon));
    return () => {
      clearTimeout(timer);
      events.forEach((name) => form.removeEventListener(name, soon));
    };
  }, [wanted, pause]);

  return <span ref={here} hidden />;
}
