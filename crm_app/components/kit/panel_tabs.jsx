import { useEffect, useState } from "react";

/* Tabs that choose which panel of `area` is seen where there is room for one only; the address holds the choice. What
   `data-shown` does on which width is up to the style sheet. */
export function PanelTabs({ items = [], area, label }) {
  const [shown, setShown] = useState(items[0]?.id);

  useEffect(() => {
    const read = () => {
      const asked = window.location.hash.slice(1);
      setShown(items.some((i) => i.id === asked) ? asked : items[0]?.id);
    };
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, []);
  useEffect(() => {
    const el = document.querySelector(area);
    if (el) el.dataset.shown = shown;
  }, [shown, area]);

  const show = (e, id) => {
    e.preventDefault();
    window.history.replaceState(window.history.state, "", `#${id}`); // not a new page: Back leaves the record
    setShown(id);
  };

  return (
    <nav className="tabs opp-tabs" aria-label={label}>
      {items.map((i) => (
        <a key={i.id} href={`#${i.id}`} aria-current={i.id === shown ? "true" : undefined} onClick={(e) => show(e, i.id)}>
          {i.label}
          {i.count ? <span className="n">{i.count}</span> : null}
        </a>
      ))}
    </nav>
  );
}
