// How numbers, times and names are written. Pure.

const NUMBERS = new Intl.NumberFormat("en");

export const MINUTE = 60_000; // milliseconds

export const number = (value) => NUMBERS.format(value);
export const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

const two = (value) => String(value).padStart(2, "0");
const isToday = (date) => date.toDateString() === new Date().toDateString();
const day = (date) => `${two(date.getMonth() + 1)}-${two(date.getDate())}`;

// Local time: 14:03:22.120, or with month and day if it is not of today.
export function clock(milliseconds) {
  const date = new Date(milliseconds);
  const time = `${hour(date)}:${two(date.getSeconds())}`;
  if (!isToday(date)) return `${day(date)} ${time}`;
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

// A minute, as the number of minutes since 1970: 14:03.
export function minute(value) {
  const date = new Date(value * MINUTE);
  return isToday(date) ? hour(date) : `${day(date)} ${hour(date)}`;
}

function hour(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

// iglu:com.acme/order_placed/jsonschema/1-0-0 → com.acme, order_placed, 1-0-0
export function parts(schema) {
  const [vendor, name, , version] = schema.replace(/^iglu:/, "").split("/");
  return { vendor, name: name ?? schema, version: version ?? "" };
}

// What a row is called: the name and the version of its schema, if it has one.
export function title(row) {
  if (row.schema) return parts(row.schema);
  return { vendor: "", name: row.type ?? "request", version: "" };
}

// The kind of a level, whichever logging library named it.
export function severity(level) {
  if (/^(crit|fatal|emerg|alert|err)/i.test(level)) return "error";
  if (/^warn/i.test(level)) return "warning";
  return /^(debug|trace|notset)/i.test(level) ? "debug" : "info";
}

// What is wrong, without the schema that the row names anyway.
export function reason(row) {
  return row.reason?.replace(/ \(iglu:[^)]*\)/g, "").replace(/^unstruct_event: /, "") ?? null;
}

export const cut = (text, limit) => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);
