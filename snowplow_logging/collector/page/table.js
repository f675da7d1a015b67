// The table of events. Only the rows in sight, and some around them, are in the document.
// Law: what the reader looks at stays where it is while rows come in above it.

import { byId, element, setText } from "./dom.js";
import { clock, number, reason, severity, title } from "./format.js";
import { indexOf } from "./rows.js";

const STEP = 8; // the window moves by so many rows
const MARGIN = 8; // rows around those in sight

export class Table {
  #grid = byId("grid");
  #body = byId("body");
  #head = this.#grid.querySelector(".head");
  #fresh = byId("fresh");
  #height = 30; // of a row, in pixels
  #rows = [];
  #active = null; // the number of the row that keys act on
  #chosen = null; // the number of the row that is open
  #seen = 0; // the newest number when the reader last was at the top
  #onOpen;

  // onOpen(row, withKey) is called when a row is clicked, or Enter pressed on it.
  constructor(onOpen) {
    this.#onOpen = onOpen;
    this.#grid.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(this.#grid);
    this.#body.addEventListener("click", (event) => this.#click(event));
    this.#fresh.addEventListener("click", () => this.toTop());
  }

  get activeRow() {
    return this.#rows[this.#activeIndex] ?? null;
  }

  get #activeIndex() {
    if (this.#active === null) return -1;
    const index = indexOf(this.#rows, this.#active);
    return this.#rows[index]?.seq === this.#active ? index : -1;
  }

  get #room() {
    return this.#grid.clientHeight - this.#head.offsetHeight;
  }

  focus() {
    this.#grid.focus({ preventScroll: true });
  }

  // Shows these rows, newest first; from the top, if they are others than before.
  show(rows, areOthers) {
    const kept = areOthers ? null : this.#anchor();
    this.#rows = rows;
    this.#grid.hidden = rows.length === 0;
    this.#body.style.setProperty("--rows", rows.length);
    this.#grid.setAttribute("aria-rowcount", rows.length + 1);
    if (kept) this.#grid.scrollTop += (indexOf(rows, kept.seq) - kept.index) * this.#height;
    else if (areOthers) this.#grid.scrollTop = 0;
    if (areOthers) this.#reveal(this.#activeIndex);
    this.#draw();
  }

  // The row that is to stay where it is; none at the top, which follows the newest.
  #anchor() {
    const top = this.#grid.scrollTop;
    const active = this.#activeIndex;
    const isSeen = active >= 0 && this.#isInSight(active);
    if (top === 0 && !isSeen) return null;
    const index = isSeen ? active : Math.min(Math.ceil(top / this.#height), this.#rows.length - 1);
    return index < 0 ? null : { index, seq: this.#rows[index].seq };
  }

  #isInSight(index) {
    const top = index * this.#height - this.#grid.scrollTop;
    return top > -this.#height && top < this.#room;
  }

  // Marks the row that is open; null for none.
  choose(seq) {
    this.#chosen = seq;
    if (seq !== null) this.#active = seq;
    this.#draw();
  }

  // Makes another row the active one, and brings it into sight; returns it.
  move(steps) {
    const active = this.#activeIndex;
    if (active >= 0) return this.activate(active + steps);
    return this.activate(Math.ceil(this.#grid.scrollTop / this.#height));
  }

  page(direction) {
    return this.move(direction * Math.max(1, Math.floor(this.#room / this.#height) - 1));
  }

  activate(wanted) {
    const index = Math.max(0, Math.min(wanted, this.#rows.length - 1));
    this.#active = this.#rows[index]?.seq ?? null;
    this.#reveal(index);
    this.#draw();
    return this.activeRow;
  }

  toTop() {
    this.#active = this.#chosen;
    this.#grid.scrollTop = 0;
    this.#draw();
  }

  #reveal(index) {
    if (index < 0) return;
    const top = index * this.#height;
    const lowest = top + this.#height - this.#room;
    if (top < this.#grid.scrollTop) this.#grid.scrollTop = top;
    else if (lowest > this.#grid.scrollTop) this.#grid.scrollTop = lowest;
  }

  #click(event) {
    const node = event.target.closest("[role=row]");
    if (node) this.#onOpen(node.row, false);
  }

  #measure() {
    this.#draw();
    const [node] = this.#body.children;
    if (!node) return;
    const height = node.getBoundingClientRect().height;
    if (height === this.#height) return;
    this.#grid.scrollTop *= height / this.#height;
    this.#height = height;
    this.#draw();
  }

  #draw() {
    const first = Math.floor(this.#grid.scrollTop / this.#height);
    const start = Math.max(0, Math.floor((first - MARGIN) / STEP) * STEP);
    const count = Math.ceil(this.#grid.clientHeight / this.#height) + 2 * MARGIN + STEP;
    const shown = this.#rows.slice(start, start + count);
    this.#body.style.setProperty("--start", start);
    while (this.#body.childElementCount > shown.length) this.#body.lastElementChild.remove();
    while (this.#body.childElementCount < shown.length) this.#body.append(emptyRow());
    shown.forEach((row, index) => this.#fill(this.#body.children[index], row, start + index));
    if (byId("active")) this.#grid.setAttribute("aria-activedescendant", "active");
    else this.#grid.removeAttribute("aria-activedescendant");
    this.#showFresh();
  }

  #fill(node, row, index) {
    node.setAttribute("aria-rowindex", index + 2);
    node.setAttribute("aria-selected", row.seq === this.#chosen);
    if (row.seq === this.#active) node.id = "active";
    else node.removeAttribute("id");
    if (node.row !== row) fill(node, row);
  }

  // How many rows have come in above, since the reader last was at the top.
  #showFresh() {
    if (this.#grid.scrollTop === 0) this.#seen = this.#rows[0]?.seq ?? 0;
    const count = indexOf(this.#rows, this.#seen);
    this.#fresh.hidden = count === 0;
    setText(this.#fresh, `↑ ${number(count)} new`);
  }
}

function emptyRow() {
  const names = ["status", "time", "name", "level", "logger", "app", "message"];
  const cells = names.map((name) => element("span", { class: name, role: "gridcell" }));
  cells[0].append(element("i", { "aria-hidden": "true" }), element("span"));
  cells[2].append(element("b"), " ", element("small"));
  return element("div", { role: "row" }, ...cells);
}

function fill(node, row) {
  node.row = row;
  node.className = row.good ? "good" : "bad";
  const [status, time, name, level, logger, app, message] = node.children;
  const { name: called, version } = title(row);
  setText(status.lastElementChild, row.good ? "valid" : "failed");
  setText(time, clock(Date.parse(row.time)));
  setText(name.firstElementChild, called);
  setText(name.lastElementChild, version);
  name.title = row.schema ?? "";
  setText(level, row.level ?? "");
  level.dataset.severity = row.level ? severity(row.level) : "";
  setText(logger, row.logger ?? "");
  setText(app, row.app_id ?? "");
  setText(message, (row.good ? row.message : reason(row)) ?? "");
}
