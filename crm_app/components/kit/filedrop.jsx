import { useEffect, useId, useRef, useState } from "react";

const UPLOAD =
  "M15 3a.5.5 0 0 0 .09-.99H4a.5.5 0 0 0-.09.98L4 3zM9.5 18a.5.5 0 0 0 .5-.41V5.7l3.64 3.65c.17.18.44.2.64.06l.07-.06a.5.5 0 0 0 .06-.63l-.06-.07-4.5-4.5A.5.5 0 0 0 9.6 4h-.1a.5.5 0 0 0-.4.14L4.64 8.6a.5.5 0 0 0 .64.76l.07-.06L9 5.7v11.8c0 .27.22.5.5.5";
const sized = (bytes) => (bytes >= 1048576 ? `${Math.round(bytes / 1048576)} MB` : `${Math.ceil(bytes / 1024)} KB`);

const refusal = (xhr) => {
  if (xhr.status === 413) return "This file is too large.";
  if (xhr.status === 401) return "Your session has ended. Load the page again and sign in.";
  try {
    return JSON.parse(xhr.responseText).message;
  } catch {
    return `The server could not take the file (${xhr.status}). Try again.`;
  }
};

/* Takes files, by click, by key or dropped, and sends each as the plain body of a request, one after the other. */
export function FileDrop({ url, accept = "", largest = 0, label, hint = "", disabled = false, multiple = false, onDone, onFail }) {
  const id = useId();
  const request = useRef(null);
  const waiting = useRef([]);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(null);

  // Of several files the first may lead to another view: the rest is sent all the same.
  useEffect(() => () => (multiple ? undefined : request.current?.abort()), []);

  const endings = accept.split(",").filter(Boolean);
  const take = (files) => {
    if (disabled) return;
    waiting.current.push(...files);
    if (!request.current) next();
  };
  const next = () => {
    request.current = null;
    const file = waiting.current.shift();
    if (file && send(file) === false) next();
  };
  const refuse = (message) => {
    onFail?.(message);
    return false;
  };
  const send = (file) => {
    const fits = endings.length === 0 || endings.some((e) => file.name.toLowerCase().endsWith(e));
    if (!fits) return refuse(`${file.name} is no table. Save it as CSV or XLSX.`);
    if (largest && file.size > largest) return refuse(`${file.name} is larger than ${sized(largest)}. Split it.`);
    if (file.size === 0) return refuse(`${file.name} is empty.`);
    const xhr = new XMLHttpRequest();
    request.current = xhr;
    xhr.open("POST", `${url}?name=${encodeURIComponent(file.name)}`);
    xhr.upload.onprogress = (e) => e.lengthComputable && setSending({ name: file.name, part: e.loaded / e.total });
    xhr.onload = () => {
      setSending(null);
      if (xhr.status !== 201) onFail?.(refusal(xhr));
      else {
        const told = JSON.parse(xhr.responseText);
        onDone?.(told.id, told.name, told.size);
      }
      next();
    };
    xhr.onerror = () => {
      setSending(null);
      onFail?.("The file did not arrive: the connection was lost. Try again.");
      next();
    };
    xhr.onabort = () => {
      setSending(null);
      next();
    };
    setSending({ name: file.name, part: 0 });
    xhr.send(file);
  };
  const drop = (e) => {
    e.preventDefault();
    setOver(false);
    take(multiple ? e.dataTransfer.files : [...e.dataTransfer.files].slice(0, 1));
  };

  return (
    <div
      className={`filedrop ${over ? "over" : ""}`}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <svg className="i i24" viewBox="0 0 20 20" aria-hidden="true">
        <path d={UPLOAD} />
      </svg>
      {sending ? (
        <div className="stack" role="status">
          <span>Sending {sending.name}</span>
          <progress aria-label="Sending" value={sending.part} max={1} />
          <button type="button" className="btn ghost sm" onClick={() => request.current?.abort()}>
            Cancel
          </button>
        </div>
      ) : (
        <>
          <input
            id={id}
            type="file"
            multiple={multiple}
            className="sr"
            accept={accept}
            disabled={disabled}
            aria-describedby={hint ? `${id}-hint` : undefined}
            onChange={(e) => {
              take(e.target.files);
              e.target.value = "";
            }}
          />
          <label htmlFor={id} className="btn primary">
            {label}
          </label>
          {hint && (
            <p id={`${id}-hint`} className="muted">
              {hint}
            </p>
          )}
        </>
      )}
    </div>
  );
}
