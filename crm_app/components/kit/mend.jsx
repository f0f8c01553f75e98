import { useEffect, useRef } from "react";

/* A box in a row of a table, of which there are many: the browser owns what is typed. With `action` a button sends it;
   without, Enter and leaving the box do, when it is another text than before. */
export function Mend({ label, given = "", action = "", wrong = false, onSave, className = "" }) {
  const box = useRef(null);
  const last = useRef(given);
  useEffect(() => {
    if (box.current && box.current !== document.activeElement) box.current.value = given;
    last.current = given;
  }, [given]);
  const save = () => {
    const text = box.current.value;
    if (!action && text === last.current) return;
    last.current = text;
    onSave?.(text);
  };
  return (
    <form
      className={className}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        e.stopPropagation();
        save();
      }}
    >
      <input
        ref={box}
        className={action ? "input sm" : "inset"}
        defaultValue={given}
        aria-label={label}
        aria-invalid={wrong || undefined}
        autoComplete="off"
        onBlur={() => !action && save()}
      />
      {action && (
        <button type="submit" className="btn sm">
          {action}
        </button>
      )}
    </form>
  );
}
