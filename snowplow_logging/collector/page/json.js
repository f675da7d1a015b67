// A JSON value as lines, with what is wrong beside the values that are.

import { button, element } from "./dom.js";
import { cut, number } from "./format.js";

const MAX_LINES = 1000; // before one asks for all
const MAX_TEXT = 2000; // characters of a text, likewise
const MAX_NOTE = 60;
const MAX_DEPTH = 100; // a pipeline takes 40

// marks: JSON Pointer → what was expected there, as texts.
export function jsonView(value, marks = new Map()) {
  const view = element("div", {
    class: "json",
    tabindex: "0",
    role: "group",
    "aria-label": "JSON",
  });
  const draw = (limit) => {
    const lines = new Lines(marks, limit);
    lines.value(value, { key: null, depth: 0, pointer: "", end: "" });
    view.replaceChildren(...lines.nodes);
    if (lines.isCut) view.append(button("Show all lines", { class: "link" }, () => draw(Infinity)));
  };
  draw(MAX_LINES);
  return view;
}

class Lines {
  constructor(marks, limit) {
    this.nodes = [];
    this.isCut = false;
    this.marks = marks;
    this.limit = limit;
  }

  value(value, place) {
    if (value === null || typeof value !== "object" || isRaw(value)) this.#scalar(value, place);
    else this.#container(value, place);
  }

  #container(value, place) {
    const [open, close] = Array.isArray(value) ? "[]" : "{}";
    const items = Object.entries(value);
    if (!items.length || place.depth > MAX_DEPTH) {
      this.#line(place, `${open}${items.length ? "…" : ""}${close}${place.end}`);
      return;
    }
    this.#line(place, open);
    items.forEach(([key, item], index) => {
      if (this.isCut) return;
      this.value(item, {
        key: Array.isArray(value) ? null : key,
        depth: place.depth + 1,
        pointer: `${place.pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`,
        end: index < items.length - 1 ? "," : "",
      });
    });
    this.#line({ ...place, key: null, pointer: null }, close + place.end);
  }

  #scalar(value, place) {
    if (typeof value !== "string") {
      this.#line(place, element("span", { class: "atom" }, JSON.stringify(value)), place.end);
      return;
    }
    const kind = /\s/.test(value) ? "text" : "text solid";
    this.#line(place, element("span", { class: kind }, '"', longText(value), '"'), place.end);
    const inner = parsed(value);
    if (inner) this.#inner(inner, place.depth + 1);
  }

  // A text that is JSON itself is shown once more, as what it holds.
  #inner(value, depth) {
    const lines = new Lines(new Map(), this.limit - this.nodes.length);
    lines.value(value, { key: null, depth, pointer: "", end: "" });
    for (const node of lines.nodes) node.classList.add("inner");
    this.nodes.push(...lines.nodes);
    this.isCut ||= lines.isCut;
  }

  #line({ key, depth, pointer }, ...content) {
    if (this.nodes.length >= this.limit) {
      this.isCut = true;
      return;
    }
    const name =
      key === null ? null : element("span", { class: "name" }, `${JSON.stringify(key)}: `);
    const line = element("div", { class: "line" }, name, ...content);
    line.style.setProperty("--depth", depth);
    const notes = this.marks.get(pointer) ?? [];
    if (notes.length) line.classList.add("wrong");
    for (const note of notes) line.append(" ", noteOf(note));
    this.nodes.push(line);
  }
}

// What was expected, beside a value; in full it stands in the list of what is wrong.
export const noteOf = (text) => element("span", { class: "note" }, cut(text, MAX_NOTE));

// A text, or its beginning and a button that shows the rest.
export function longText(text) {
  if (text.length <= MAX_TEXT) return text;
  const node = element("span", {}, text.slice(0, MAX_TEXT));
  const label = `… ${number(text.length - MAX_TEXT)} more characters`;
  node.append(button(label, { class: "link" }, () => node.replaceChildren(text)));
  return node;
}

function parsed(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return parse(text);
  } catch {
    return null;
  }
}

// Parses JSON so that numbers stay as they were written: 1.0, and integers over 2^53.
export function parse(text) {
  return JSON.parse(text, (_, value, context) => {
    const isOther = typeof value === "number" && context && String(value) !== context.source;
    return isOther ? JSON.rawJSON(context.source) : value;
  });
}

const isRaw = (value) => JSON.isRawJSON?.(value) ?? false;
