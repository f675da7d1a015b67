// What the reader wants to see: as a predicate of rows, and as the fragment of the address. Pure.

import { MINUTE } from "./format.js";

// Names of filters in the form and in the address → names in a row.
export const FACETS = { schema: "schema", level: "level", logger: "logger", app: "app_id" };
const NAMES = ["q", "status", ...Object.keys(FACETS), "since", "until"];

export const NOTHING = Object.freeze(Object.fromEntries(NAMES.map((name) => [name, ""])));

export const isFiltering = (filters) => NAMES.some((name) => filters[name] !== "");

// The minutes that are chosen, first and last, or null.
export function period(filters) {
  const [since, until] = [filters.since, filters.until].map((time) => Date.parse(time) / MINUTE);
  return Number.isNaN(since) || Number.isNaN(until) ? null : [since, until];
}

export function withPeriod(filters, chosen) {
  const [since, until] = (chosen ?? []).map((value) => new Date(value * MINUTE).toISOString());
  return { ...filters, since: shortened(since), until: shortened(until) };
}

const shortened = (time) => (time ? time.replace(":00.000Z", "Z") : "");

// A function that says whether a row is to be shown, but for its minute.
export function matcher(filters) {
  const facets = Object.entries(FACETS).filter(([name]) => filters[name]);
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (!filters.status || row.good === (filters.status === "valid")) &&
    facets.every(([name, key]) => row[key] === filters[name]) &&
    words.every((word) => text(row).includes(word));
}

// What is searched; made once for each row, when it is needed.
function text(row) {
  row.text ??= [
    row.message,
    row.reason,
    row.type,
    row.schema,
    row.app_id,
    row.level,
    row.logger,
    row.event_id,
  ]
    .join("\n")
    .toLowerCase();
  return row.text;
}

export function toFragment(filters, event) {
  const shown = Object.entries({ ...filters, event: event ?? "" }).filter(([, value]) => value);
  return shown.length ? `#${new URLSearchParams(shown)}` : "";
}

export function fromFragment(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const filters = Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""]));
  if (!["valid", "failed"].includes(filters.status)) filters.status = "";
  return { filters, event: given.get("event") || null };
}
