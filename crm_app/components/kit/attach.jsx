import { useEffect, useId, useRef, useState } from "react";
import { newOperation } from "./operation.js";

const AT_ONCE = 2;
const PATIENCE = 6000; // until a file that was sent must stand in the list
const sized = (bytes) =>
  bytes >= 1048576 ? `${(bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0)} MB` : `${Math.ceil(bytes / 1024)} KB`;
const holdsFiles = (e) => Array.from(e.dataTransfer?.types ?? []).includes("Files");
const isTyping = (el) => el?.closest?.("input, textarea, select, [contenteditable]");

const refusal = (xhr, name) => {
  if (xhr.status === 413) return `${name} is too large.`;
  if (xhr.status === 401) return "Your session has ended. Load the page again and sign in.";
  try {
    const said = JSON.parse(xhr.responseText).message;
    return said.startsWith("file: ") ? `${name} ${said.slice(6)}.` : said;
  } catch {
    return `The server could not take ${name} (${xhr.status}).`;
  }
};

// What is pasted is called image.png by every browser.
const named = (file, at) => {
  const stamp = at.toLocaleString("sv").replaceAll(":", ".");
  return /^image\.\w+$/.test(file.name) ? `Pasted ${stamp}${file.name.slice(5)}` : file.name;
};

/* A card of files: takes them by button, dropped on it or pasted into the page, several at once; shows how far each is,
   can be stopped and tried again. `known` are the ids that the list (its children) shows already. */
export function Attach({ title, count = 0, url, largest = 0, can = true, known = [], icons = {}, label, onSent, children }) {
  const id = useId();
  const [items, setItems] = useState([]);
  const [over, setOver] = useState(false);
  const [heard, setHeard] = useState("");
  const input = useRef(null);
  const requests = useRef(new Map());
  const live = useRef({});
  live.current = { url, largest, can, onSent };

  const change = (key, changed) =>
    setItems((all) => (changed ? all.map((i) => (i.key === key ? { ...i, ...changed } : i)) : all.filter((i) => i.key !== key)));

  const take = (files) => {
    const { url, largest, can } = live.current;
    if (!can || !url || files.length === 0) return;
    const now = new Date();
    const added = files.map((file) => {
      const item = { key: newOperation(), file, name: named(file, now), url, part: 0, state: "waiting", message: "" };
      if (largest && file.size > largest) return { ...item, state: "refused", message: `${item.name} is larger than ${sized(largest)}.` };
      return file.size === 0 ? { ...item, state: "refused", message: `${item.name} is empty.` } : item;
    });
    setItems((all) => [...all, ...added]);
  };

  const send = (item) => {
    const xhr = new XMLHttpRequest();
    requests.current.set(item.key, xhr);
    xhr.open("POST", `${item.url}?name=${encodeURIComponent(item.name)}`);
    xhr.upload.onprogress = (e) => e.lengthComputable && change(item.key, { part: e.loaded / e.total });
    xhr.onload = () => {
      requests.current.delete(item.key);
      if (xhr.status !== 201) {
        return change(item.key, { state: xhr.status < 500 ? "refused" : "failed", message: refusal(xhr, item.name) });
      }
      const told = JSON.parse(xhr.responseText);
      change(item.key, { state: "sent", part: 1, sent: told.id });
      setTimeout(change, PATIENCE, item.key, null);
      setHeard(`${item.name} is attached`);
      live.current.onSent?.(told.id, told.name);
    };
    xhr.onerror = () => {
      requests.current.delete(item.key);
      change(item.key, { state: "failed", message: `${item.name} did not arrive: the connection was lost.` });
    };
    xhr.send(item.file);
  };

  useEffect(() => {
    const busy = items.filter((i) => i.state === "sending").length;
    const next = items.filter((i) => i.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy));
    if (next.length === 0) return;
    const keys = new Set(next.map((i) => i.key));
    setItems((all) => all.map((i) => (keys.has(i.key) ? { ...i, state: "sending", part: 0, message: "" } : i)));
    next.forEach(send);
  }, [items]);

  useEffect(() => {
    const there = new Set(known);
    if (items.some((i) => i.sent && there.has(i.sent))) setItems((all) => all.filter((i) => !there.has(i.sent)));
  }, [known, items]);

  useEffect(() => {
    const paste = (e) => {
      const files = Array.from(e.clipboardData?.files ?? []);
      if (files.length === 0 || (isTyping(e.target) && e.clipboardData.types.includes("text/plain"))) return;
      if (document.querySelector("dialog[open]")) return;
      e.preventDefault();
      take(files);
    };
    // A file that misses the card must not take the page's place.
    const miss = (e) => holdsFiles(e) && e.preventDefault();
    document.addEventListener("paste", paste);
    window.addEventListener("dragover", miss);
    window.addEventListener("drop", miss);
    return () => {
      document.removeEventListener("paste", paste);
      window.removeEventListener("dragover", miss);
      window.removeEventListener("drop", miss);
      requests.current.forEach((xhr) => xhr.abort());
    };
  }, []);

  const stop = (item) => {
    requests.current.get(item.key)?.abort();
    requests.current.delete(item.key);
    change(item.key, null);
    setHeard(`${item.name} is not sent`);
    input.current?.focus();
  };
  const drop = (e) => {
    if (!holdsFiles(e)) return;
    e.preventDefault();
    setOver(false);
    take(Array.from(e.dataTransfer.files));
  };
  const drawn = (name, size = 16) => (
    <svg className={`i i${size}`} viewBox={`0 0 ${size} ${size}`} aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
  const row = (i) => {
    const isWrong = i.state === "failed" || i.state === "refused";
    return (
      <li key={i.key} className={`sending ${isWrong ? "wrong" : ""}`}>
        <span className="grow">
          <span className="clip">{i.name}</span>
          {isWrong ? (
            <span className="error" role="alert">
              {i.message}
            </span>
          ) : (
            <progress aria-label={`Sending ${i.name}`} value={i.part} max={1} />
          )}
        </span>
        {!isWrong && <span className="muted small num">{i.state === "waiting" ? "Waits" : `${Math.round(i.part * 100)} %`}</span>}
        {i.state === "failed" && (
          <button type="button" className="btn sm" onClick={() => change(i.key, { state: "waiting" })}>
            Try again<span className="sr">: {i.name}</span>
          </button>
        )}
        {i.state !== "sent" && (
          <button
            type="button"
            className="icon-btn"
            aria-label={isWrong ? `Put ${i.name} aside` : `Stop sending ${i.name}`}
            onClick={() => stop(i)}
          >
            {drawn("dismiss")}
          </button>
        )}
      </li>
    );
  };

  return (
    <div
      role="group"
      className={`card files ${over && can ? "over" : ""}`}
      aria-labelledby={`${id}-title`}
      onDragEnter={(e) => holdsFiles(e) && setOver(true)}
      onDragOver={(e) => holdsFiles(e) && e.preventDefault()}
      onDragLeave={(e) => !e.currentTarget.contains(e.relatedTarget) && setOver(false)}
      onDrop={drop}
    >
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {count > 0 && <span className="pill">{count}</span>}
        {can && (
          <span className="push line">
            <input
              ref={input}
              id={id}
              type="file"
              multiple
              className="sr"
              onChange={(e) => {
                take(Array.from(e.target.files));
                e.target.value = "";
              }}
            />
            <label htmlFor={id} className="btn ghost sm" data-tip="Or drop files here, or paste them">
              {drawn("attach")}
              {label}
            </label>
          </span>
        )}
      </header>
      <div className="body">
        {items.length > 0 && <ul className="sendings">{items.map(row)}</ul>}
        {children}
      </div>
      {over && can && <p className="dropping">Drop to attach</p>}
      <span className="sr" role="status">
        {heard}
      </span>
    </div>
  );
}
