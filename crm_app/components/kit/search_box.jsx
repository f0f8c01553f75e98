import { useEffect, useRef, useState } from "react";

const PAUSE = 200;

/* A search box that owns what is typed; Python hears of it when the hand rests, and may set another text meanwhile. */
export function SearchBox({ id, label, value = "", onSearch }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const timer = useRef(null);

  // a text that Python set by itself; the echo of one's own is no news
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const tell = (next) => {
    clearTimeout(timer.current);
    if (next === told.current) return;
    told.current = next;
    onSearch?.(next);
  };
  const type = (next) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(tell, PAUSE, next);
  };

  return (
    <input
      id={id}
      type="search"
      className="input"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(e) => type(e.target.value)}
      onKeyDown={(e) => e.key === "Enter" && tell(text)}
    />
  );
}
