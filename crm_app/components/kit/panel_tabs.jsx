import { useEffect, useRef, useState } from "react";

/* Tabs that choose which panel of `area` is seen where there is no room for all; the address holds the choice, unless
   they stand beside a page (`inside`). The area has the choice as `data-shown`, the chosen panel `data-on`: what these
   do on which width is up to the style sheet. `onShown` hears of every choice. */
export function PanelTabs({ items = [], area, label, inside = false, onShown }) {
  const there = items.filter((i) => !i.off);
  const [asked, setAsked] = useState("");
  const strip = useRef(null);
  const shown = there.some((i) => i.id === asked) ? asked : there[0]?.id;

  useEffect(() => {
    if (inside) return;
    const read = () => setAsked(window.location.hash.slice(1));
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, [inside]);
  useEffect(() => {
    const el = document.querySelector(area);
    if (!el) return;
    el.dataset.shown = shown;
    for (const panel of el.children) panel.toggleAttribute("data-on", panel.id === shown);
    onShown?.(shown);
    const tab = strip.current?.querySelector("[aria-current]");
    // only the strip moves, not the page
    if (tab && strip.current.scrollWidth > strip.current.clientWidth) {
      strip.current.scrollLeft = tab.offsetLeft - (strip.current.clientWidth - tab.offsetWidth) / 2;
    }
  }, [shown, area]);

  const show = (e, id) => {
    e.preventDefault();
    if (!inside) window.history.replaceState(window.history.state, "", `#${id}`); // not a new page: Back leaves it
    setAsked(id);
  };

  return (
    <nav ref={strip} className="tabs opp-tabs" aria-label={label}>
      {there.map((i) => (
        <a
          key={i.id}
          href={`#${i.id}`}
          aria-current={i.id === shown ? "true" : undefined}
          className={i.narrow ? "narrow" : undefined}
          onClick={(e) => show(e, i.id)}
        >
          {i.label}
          {i.count ? <span className="n">{i.count}</span> : null}
        </a>
      ))}
    </nav>
  );
}
