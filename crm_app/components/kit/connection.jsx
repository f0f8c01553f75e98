import { useEffect, useRef, useState } from "react";

const GRACE = 1200;

/* Says that the server cannot be reached. What is done meanwhile waits in the page and is sent on the way back. */
export function Connection({ lost }) {
  const [offline, setOffline] = useState(false);
  const [late, setLate] = useState(false);

  useEffect(() => {
    const check = () => setOffline(!navigator.onLine);
    check();
    window.addEventListener("online", check);
    window.addEventListener("offline", check);
    return () => {
      window.removeEventListener("online", check);
      window.removeEventListener("offline", check);
    };
  }, []);

  useEffect(() => {
    if (!lost) return setLate(false);
    const timer = setTimeout(() => setLate(true), GRACE);
    return () => clearTimeout(timer);
  }, [lost]);

  useEffect(() => {
    document.documentElement.toggleAttribute("data-disconnected", lost || offline);
  }, [lost, offline]);

  const text = offline ? "Offline. Your changes are kept" : late ? "Reconnecting… Your changes are kept" : "";
  return (
    <p className="connection" role="status">
      {text}
    </p>
  );
}

const known = { session: "", line: "" };
const returns = new Set();

/* Runs `again` whenever the tab has come back over another line and the server knows whose it is. What was sent over the
   line before may be lost, and the server may have started anew. */
export function useReturn(again) {
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    const run = () => latest.current();
    returns.add(run);
    return () => returns.delete(run);
  }, []);
}

/* For a page that must tell the server what it shows. */
export function OnReturn({ onReturn }) {
  useReturn(() => onReturn?.());
  return null;
}

/* A page keeps what it shows over a lost connection. Somebody else who signed in meanwhile must not see it. */
export function OneSession({ session, line }) {
  useEffect(() => {
    if (!session || !line) return;
    const before = { ...known };
    Object.assign(known, { session, line });
    if (before.session && before.session !== session) window.location.reload();
    else if (before.line && before.line !== line) returns.forEach((run) => run());
  }, [session, line]);
  return null;
}
