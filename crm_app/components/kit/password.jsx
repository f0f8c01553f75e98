import { useState } from "react";

const EYE =
  "M3.26 11.6A7 7 0 0 1 10 6c3.2 0 6.06 2.33 6.74 5.6a.5.5 0 0 0 .98-.2A8 8 0 0 0 10 5a8 8 0 0 0-7.72 6.4.5.5 0 0 0 .98.2M10 8a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7m-2.5 3.5a2.5 2.5 0 1 1 5 0 2.5 2.5 0 0 1-5 0";
const STROKE = "M3 3 17 17";

/* A password box with an eye; what is typed never leaves it but with the form. */
export function Password({ id, name, autoComplete, invalid, describedBy, minLength, required }) {
  const [seen, setSeen] = useState(false);
  return (
    <span className="pwbox">
      <input
        className="input lg"
        id={id}
        name={name}
        type={seen ? "text" : "password"}
        autoComplete={autoComplete}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        minLength={minLength}
        required={required}
        spellCheck={false}
        autoCapitalize="none"
      />
      <button
        className="icon-btn"
        type="button"
        aria-label="Show password"
        aria-pressed={seen}
        onClick={() => setSeen(!seen)}
      >
        <svg className="i" viewBox="0 0 20 20" aria-hidden="true">
          <path d={EYE} />
          {seen && <path d={STROKE} stroke="currentColor" strokeWidth="1" />}
        </svg>
      </button>
    </span>
  );
}
