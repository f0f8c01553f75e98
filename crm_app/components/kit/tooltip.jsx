import { useEffect, useRef } from "react";

const DELAY = 400;

/* One tooltip for the page: shows `data-tip` of what is hovered or focused. Text that already stands there in full
   (`data-tip-cut`) is only repeated when it is cut off. */
export function Tooltips() {
  const box = useRef(null);

  useEffect(() => {
    const el = box.current;
    let timer;
    let owner = null;

    const hide = () => {
      clearTimeout(timer);
      if (owner?.getAttribute("aria-describedby") === el.id) owner.removeAttribute("aria-describedby");
      owner = null;
      if (el.matches(":popover-open")) el.hidePopover();
    };
    const show = (target) => {
      if ("tipCut" in target.dataset && target.scrollWidth <= target.clientWidth) return;
      owner = target;
      el.textContent = target.dataset.tip;
      el.showPopover();
      if (target.getAttribute("aria-label") !== target.dataset.tip) target.setAttribute("aria-describedby", el.id);
      const at = target.getBoundingClientRect();
      const top = at.top > el.offsetHeight + 8 ? at.top - el.offsetHeight - 6 : at.bottom + 6;
      const left = at.left + at.width / 2 - el.offsetWidth / 2;
      el.style.top = `${top}px`;
      el.style.left = `${Math.max(8, Math.min(left, window.innerWidth - el.offsetWidth - 8))}px`;
    };
    const enter = (e) => {
      const target = e.target.closest?.("[data-tip]");
      if (target === owner && owner) return;
      hide();
      if (e.type === "focusin" && !target?.matches(":focus-visible")) return;
      if (target?.dataset.tip) timer = setTimeout(show, e.type === "focusin" ? 0 : DELAY, target);
    };
    const key = (e) => e.key === "Escape" && hide();

    document.addEventListener("pointerover", enter);
    document.addEventListener("focusin", enter);
    document.addEventListener("focusout", hide);
    document.addEventListener("pointerdown", hide);
    document.addEventListener("click", hide);
    document.addEventListener("keydown", key);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("pointerover", enter);
      document.removeEventListener("focusin", enter);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("pointerdown", hide);
      document.removeEventListener("click", hide);
      document.removeEventListener("keydown", key);
    };
  }, []);

  // hidden: what it says reaches screen readers as the description of its owner, or is its name already
  return <div ref={box} id="tip" className="tip" role="tooltip" aria-hidden="true" popover="manual" />;
}
