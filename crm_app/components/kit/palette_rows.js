// The rows of the palette: which of them fit what is typed, and where the typed words stand in a text.
const PLAIN = { ø: "o", ł: "l", đ: "d", ð: "d", ß: "s", æ: "a", œ: "o", ı: "i" };

// Letter by letter, so that places in the folded text are places in the text.
const foldLetter = (letter) => {
  const bare = letter.normalize("NFD")[0].toLowerCase();
  return (PLAIN[bare] || bare).padEnd(letter.length, "\u0000").slice(0, letter.length);
};
const fold = (text) => Array.from(text, foldLetter).join("");
const wordsOf = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

// The parts of a text; those that begin a word like one of the query's words are marked.
export const parts = (text, query) => {
  const words = wordsOf(query);
  if (words.length === 0) return [{ text }];
  const found = [];
  const plain = fold(text);
  let done = 0;
  for (const start of plain.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)) {
    const hits = words.filter((w) => plain.startsWith(w, start.index)).map((w) => w.length);
    if (hits.length === 0 || start.index < done) continue;
    found.push({ text: text.slice(done, start.index) });
    done = start.index + Math.max(...hits);
    found.push({ text: text.slice(start.index, done), lit: true });
  }
  return [...found, { text: text.slice(done) }];
};

// Whether every typed word begins a word of the label.
export const fits = (label, query) => {
  const mine = wordsOf(label);
  return wordsOf(query).every((w) => mine.some((m) => m.startsWith(w)));
};

// "> move" -> commands only, "@ ann" -> people only.
export const readTyped = (typed) => {
  const text = typed.trim();
  const only = { ">": "commands", "@": "people" }[text[0]] ?? "";
  return { only, query: only ? text.slice(1).trim() : text };
};

export const keyOf = (row) => `${row.group}|${row.href ?? ""}|${row.id ?? ""}|${row.label}`;

// All that is offered, in the order of the groups. `here` are the acts of this page and record, `hits` the records.
export const offered = ({ only, query, here, hits, recents, places }) => {
  const like = (rows) => (query ? rows.filter((r) => fits(r.label + " " + (r.hint ?? ""), query)) : rows);
  if (only === "people") return query ? hits : [];
  const later = places.filter((p) => (query || only ? true : !p.later));
  if (only === "commands") return [...like(here), ...like(later)];
  return query ? [...like(here), ...hits, ...like(later)] : [...here, ...recents, ...later];
};
