import { Link } from "react-router";
import { performWhenThere } from "./acts.js";

/* A link to a page, where `press` is then clicked. With Ctrl or the middle button it is a link like any other. */
export function ActLink({ to, press, children, className, keys, label }) {
  const go = (e) => {
    if (!e.ctrlKey && !e.metaKey && !e.shiftKey) performWhenThere({ press });
  };
  return (
    <Link to={to} className={className} onClick={go} aria-label={label || undefined} aria-keyshortcuts={keys || undefined} data-create="">
      {children}
    </Link>
  );
}
