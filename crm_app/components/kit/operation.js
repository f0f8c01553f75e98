// Browsers give a UUID only to pages from https or localhost; random bytes they give to all.
const bytes = () => {
  const some = crypto.getRandomValues(new Uint8Array(16));
  some[6] = (some[6] & 0x0f) | 0x40;
  some[8] = (some[8] & 0x3f) | 0x80;
  return [...some].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

/* The id of something that is done once, however often it is sent. */
export const newOperation = () => bytes().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
