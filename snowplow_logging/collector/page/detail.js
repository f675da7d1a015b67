// One event in full, and of a failed one what is wrong, beside the values that are.

import { announce, button, byId, copy, element } from "./dom.js";
import { clock, title } from "./format.js";
import { jsonView, longText, noteOf, parse } from "./json.js";

const COPIED = 1500; // milliseconds that a button says so

export class Detail {
  #section = byId("detail");
  #open = { Event: true, Entity: true, Entities: true, Request: true }; // unfolded parts
  #document = null;
  #onClose;
  #onMove;

  // onClose() is called when the reader closes the event, onMove(steps) to see another one.
  constructor(onClose, onMove) {
    this.#onClose = onClose;
    this.#onMove = onMove;
  }

  hide() {
    this.#document = null;
    this.#section.hidden = true;
    this.#section.replaceChildren();
  }

  focus() {
    byId("detail-title")?.focus();
  }

  get hasFocus() {
    return this.#section.contains(document.activeElement);
  }

  // Until the collector answers; what was shown before stays so long, which avoids flicker.
  wait(row) {
    this.#document = null;
    if (this.#section.hidden) this.#draw(row);
    this.#section.setAttribute("aria-busy", "true");
  }

  showError(row, text) {
    this.#draw(row, element("p", { class: "soft" }, text));
  }

  // Shows an answer of /micro/event.
  show(answer) {
    this.#document = answer.document;
    const marks = marksOf(answer.problems);
    this.#draw(
      answer.row,
      answer.problems.length ? problemList(answer.problems) : null,
      facts(answer),
      answer.event && this.#part("Event", answer.event, jsonView(answer.event, marks("event"))),
      this.#entities(answer.contexts, marks),
      answer.payload
        ? this.#part("Raw payload", answer.payload, fields(answer.payload, marks("payload")))
        : this.#request(answer.document.collectorPayload, marks("request")),
      this.#part("Headers", answer.headers, headerList(answer.headers)),
    );
  }

  // Copies the event as Micro's API shows it; returns whether there is one.
  async copyDocument() {
    if (this.#document) await copyAndSay(this.#document, byId("copy"));
    return this.#document !== null;
  }

  #draw(row, ...parts) {
    const focused = this.hasFocus ? document.activeElement.id : null;
    const content = element("div", { class: "parts" }, ...parts.filter(Boolean));
    this.#section.hidden = false;
    this.#section.removeAttribute("aria-busy");
    this.#section.replaceChildren(this.#header(row), content);
    this.#section.scrollTop = 0;
    if (focused !== null) byId(focused || "detail-title").focus();
  }

  #header(row) {
    const { name, version } = row ? title(row) : { name: "Event", version: "" };
    const kind = row?.good ? "valid" : "failed";
    const badge = row && element("span", { class: `badge ${row.good ? "good" : "bad"}` }, kind);
    const heading = element("h2", { id: "detail-title", tabindex: "-1" }, badge, " ", name, " ");
    heading.append(element("small", {}, version));
    return element(
      "header",
      {},
      heading,
      button("↑", { id: "newer", "aria-label": "Newer event" }, () => this.#onMove(-1)),
      button("↓", { id: "older", "aria-label": "Older event" }, () => this.#onMove(1)),
      button("Copy JSON", { id: "copy" }, () => this.copyDocument()),
      button("Close", { id: "close" }, () => this.#onClose()),
    );
  }

  #part(name, value, content) {
    const node = element(
      "details",
      {},
      element("summary", {}, element("h3", {}, name)),
      button("Copy", { class: "link", "aria-label": `Copy ${name}` }, (event) =>
        copyAndSay(value, event.target),
      ),
      content,
    );
    node.open = this.#open[name] ?? false;
    node.addEventListener("toggle", () => (this.#open[name] = node.open));
    return node;
  }

  #entities(entities, marks) {
    if (!entities.length) return null;
    const views = entities.map((entity, index) => jsonView(entity, marks(`context ${index}`)));
    return this.#part(
      entities.length === 1 ? "Entity" : "Entities",
      entities,
      element("div", {}, ...views),
    );
  }

  // A request that failed as a whole has no fields that could be read.
  #request({ querystring, contentType, body }, marks) {
    const request = { querystring, contentType, body: parsed(body) };
    return this.#part("Request", request, jsonView(request, marks));
  }
}

async function copyAndSay(value, node) {
  const copied = await copy(JSON.stringify(value, null, 2));
  const said = copied ? "Copied" : "The browser does not allow it";
  announce(said);
  const { textContent } = node;
  if (textContent === said) return;
  node.textContent = said;
  setTimeout(() => (node.textContent = textContent), COPIED);
}

// A function from a part of the event to what is wrong there: JSON Pointer → texts.
function marksOf(problems) {
  return (where) => {
    const marks = new Map();
    for (const problem of problems.filter((each) => each.where === where)) {
      marks.set(problem.path, [...(marks.get(problem.path) ?? []), problem.expected]);
    }
    return marks;
  };
}

function problemList(problems) {
  const items = problems.map(problemItem);
  return element("ul", { class: "problems", "aria-label": "What is wrong" }, ...items);
}

function problemItem({ where, path, expected, value, text }) {
  const place = element(
    "p",
    { class: "soft" },
    `in the ${where} at `,
    element("code", {}, path || "/"),
  );
  return element(
    "li",
    {},
    element("p", {}, element("strong", {}, expected)),
    value === null ? null : element("p", {}, "got ", element("mark", {}, value)),
    place,
    text.includes(expected) ? null : element("p", { class: "soft" }, text),
  );
}

function facts({ row, document }) {
  const event = document.event ?? {};
  const tracker = [event.name_tracker, event.v_tracker].filter(Boolean).join(", ");
  const pairs = [
    ["Received", `${clock(Date.parse(row.time))} (${row.time})`],
    ["Schema", row.schema ? breakable(row.schema) : row.type],
    ["Event id", row.event_id],
    ["Application", row.app_id],
    ["Level", row.level],
    ["Logger", row.logger],
    ["Tracker", tracker],
    ["User", event.user_id],
  ].filter(([, value]) => value);
  return element("dl", { class: "facts" }, ...pairs.flatMap(([name, value]) => pair(name, value)));
}

// A URI that is broken at its slashes, if at all.
function breakable(uri) {
  const steps = uri.split(/(?=\/)/);
  return element("span", {}, ...steps.map((step) => element("span", { class: "step" }, step)));
}

const pair = (name, value) => [element("dt", {}, name), element("dd", {}, value)];

// The raw fields; those that are missing and should not be, too.
function fields(payload, marks) {
  const wrong = [...marks.keys()].map((path) => path.slice(1));
  const names = [...new Set([...Object.keys(payload), ...wrong])];
  const items = names.map((name) => {
    const notes = marks.get(`/${name}`) ?? [];
    const value = element("dd", {}, longText(payload[name] ?? ""));
    for (const note of notes) value.append(" ", noteOf(note));
    const item = element(
      "div",
      { class: notes.length ? "wrong" : "" },
      element("dt", {}, name),
      value,
    );
    return item;
  });
  return element("dl", { class: "fields" }, ...items);
}

function headerList(headers) {
  const items = headers.map((header) => {
    const end = header.indexOf(":");
    return element("div", {}, ...pair(header.slice(0, end), header.slice(end + 1).trim()));
  });
  return element("dl", { class: "fields" }, ...items);
}

function parsed(text) {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
