import { useEffect, useState } from "react";

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
