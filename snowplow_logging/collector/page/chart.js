// Valid and failed events per minute: valid ones above the line, failed ones below it. A minute,
// or the minutes that the pointer is drawn over, become the period that is shown.

import { byId, element, setText } from "./dom.js";
import { minute, MINUTE, number } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 840; // pixels, from which there is room for an hour
const GAP = 0.18; // between bars, of a bar's width
const HEIGHT = 100;
const LEAST = 3; // so that one event among thousands is seen

export class Chart {
  #box = byId("bars");
  #svg = shape("svg", { preserveAspectRatio: "none" });
  #peak = element("span", { class: "peak", "aria-hidden": "true" });
  #times = element("div", { class: "times", "aria-hidden": "true" });
  #counts = new Map(); // minute → [valid, failed]
  #period = null;
  #end = null; // the last minute that is shown, if the reader went back
  #from = null; // where the pointer went down
  #onChoose;

  // onChoose([first, last] or null) is called with the minutes that the reader wants.
  constructor(onChoose) {
    this.#onChoose = onChoose;
    this.#box.append(this.#peak, this.#svg, this.#times);
    this.#svg.addEventListener("pointerdown", (event) => this.#press(event));
    this.#svg.addEventListener("pointermove", (event) => this.#drag(event));
    this.#svg.addEventListener("pointerup", (event) => this.#release(event));
    this.#svg.addEventListener("pointercancel", () => this.#cancel());
    this.#svg.addEventListener("keydown", (event) => this.#key(event));
    byId("earlier").addEventListener("click", () => this.#page(-1));
    byId("later").addEventListener("click", () => this.#page(1));
    new ResizeObserver(() => this.#draw()).observe(this.#box);
  }

  // Shows these counts, and which minutes are chosen; a new period is brought into sight.
  show(counts, period) {
    this.#counts = counts;
    const isNew = period && String(period) !== String(this.#period);
    this.#period = period;
    if (isNew && !this.#isInSight(period[0])) this.#end = period[0] + Math.floor(this.#length / 2);
    this.#draw();
  }

  get #length() {
    return this.#box.clientWidth >= WIDE ? 60 : 30;
  }

  // Now, or the last minute with events where they are older than what is in sight.
  get #latest() {
    const now = Math.floor(Date.now() / MINUTE);
    const newest = Math.max(...this.#counts.keys(), 0);
    return newest === 0 || now - newest < this.#length ? Math.max(now, newest) : newest;
  }

  get #last() {
    return this.#end ?? this.#latest;
  }

  get #first() {
    return this.#last - this.#length + 1;
  }

  #isInSight(value) {
    return value >= this.#first && value <= this.#last;
  }

  // Goes to the next minutes with events in a direction, over those without.
  #page(direction) {
    const minutes = [...this.#counts.keys()];
    const earlier = Math.max(...minutes.filter((value) => value < this.#first));
    const later = Math.min(...minutes.filter((value) => value > this.#last)) + this.#length - 1;
    this.#end = direction < 0 ? earlier : later < this.#latest ? later : null;
    this.#draw();
  }

  #draw() {
    const length = this.#length;
    const first = this.#first;
    const minutes = Array.from({ length }, (_, index) => first + index);
    const counts = minutes.map((value) => this.#counts.get(value) ?? [0, 0]);
    const [valid, failed] = [0, 1].map((kind) => Math.max(...counts.map((pair) => pair[kind])));
    const scale = (HEIGHT - LEAST) / Math.max(1, valid + failed);
    const line = failed ? Math.max(LEAST, valid * scale) : HEIGHT;
    set(this.#svg, "viewBox", `0 0 ${length} ${HEIGHT}`);
    while (this.#svg.childElementCount > length) this.#svg.lastElementChild.remove();
    while (this.#svg.childElementCount < length) this.#svg.append(emptyBar());
    minutes.forEach((value, index) => this.#fill(index, value, counts[index], line, scale));
    this.#rove();
    this.#label(first, length, valid);
    const known = [...this.#counts.keys()];
    byId("earlier").disabled = !known.some((value) => value < first);
    byId("later").disabled = this.#end === null;
  }

  #fill(index, value, [valid, failed], line, scale) {
    const bar = this.#svg.children[index];
    const [back, above, below] = bar.children;
    const heights = [valid, failed].map((count) => (count ? Math.max(LEAST, count * scale) : 0));
    bar.minute = value;
    set(back, "x", index);
    place(above, index, line - heights[0], heights[0]);
    place(below, index, line, heights[1]);
    const text = `${minute(value)}, ${number(valid)} valid, ${number(failed)} failed`;
    setText(bar.lastElementChild, text);
    set(bar, "aria-label", text);
    const isChosen = this.#period && value >= this.#period[0] && value <= this.#period[1];
    set(bar, "aria-pressed", String(Boolean(isChosen)));
    set(bar, "aria-hidden", String(valid + failed === 0));
    set(bar, "class", !this.#period ? "" : isChosen ? "chosen" : "other");
  }

  // One bar alone is reached with the Tab key: the one with focus, else the chosen, else the last.
  #rove() {
    const bars = this.#reachable();
    const current =
      bars.find((bar) => bar === document.activeElement) ??
      bars.find((bar) => bar.minute === this.#period?.[0]) ??
      bars.at(-1);
    for (const bar of this.#svg.children) {
      if (bar === current) set(bar, "tabindex", "0");
      else if (bars.includes(bar)) set(bar, "tabindex", "-1");
      else bar.removeAttribute("tabindex");
    }
  }

  #reachable() {
    return [...this.#svg.children].filter((bar) => bar.getAttribute("aria-hidden") === "false");
  }

  #label(first, length, peak) {
    setText(this.#peak, peak ? number(peak) : "");
    const isOld = this.#times.dataset.first === `${first}/${length}`;
    if (isOld) return;
    this.#times.dataset.first = `${first}/${length}`;
    const tens = Array.from({ length }, (_, index) => index).filter(
      (index) => (first + index) % 10 === 0 && index < length - 2,
    );
    this.#times.replaceChildren(...tens.map((index) => mark(first + index, index / length)));
  }

  #minuteAt(event) {
    const box = this.#svg.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const index = Math.floor(share * this.#length);
    return this.#first + Math.max(0, Math.min(index, this.#length - 1));
  }

  #press(event) {
    if (event.button !== 0) return;
    const here = this.#minuteAt(event);
    this.#from = event.shiftKey && this.#period ? this.#period[0] : here;
    this.#svg.setPointerCapture(event.pointerId);
  }

  #drag(event) {
    if (this.#from === null) return;
    const here = this.#minuteAt(event);
    for (const bar of this.#svg.children) {
      const isInside = (bar.minute - this.#from) * (bar.minute - here) <= 0;
      set(bar, "class", isInside ? "chosen" : "other");
    }
  }

  #release(event) {
    if (this.#from === null) return;
    const here = this.#minuteAt(event);
    const wanted = [Math.min(this.#from, here), Math.max(this.#from, here)];
    this.#from = null;
    this.#choose(wanted);
  }

  #cancel() {
    this.#from = null;
    this.#draw();
  }

  // What is chosen already, is not any more.
  #choose(wanted) {
    this.#onChoose(String(wanted) === String(this.#period) ? null : wanted);
  }

  #key(event) {
    const bars = this.#reachable();
    const index = bars.indexOf(event.target);
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -index, End: bars.length - 1 - index };
    if (event.key in steps) {
      bars[index + steps[event.key]]?.focus();
      this.#rove();
    } else if (event.key === "Enter" || event.key === " ") {
      const { minute: here } = event.target;
      const from = event.shiftKey && this.#period ? this.#period[0] : here;
      this.#choose([Math.min(from, here), Math.max(from, here)]);
    } else return;
    event.preventDefault();
  }
}

function shape(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function emptyBar() {
  return shape(
    "g",
    { role: "button" },
    shape("rect", { class: "back", y: 0, width: 1, height: HEIGHT }),
    shape("rect", { class: "valid", width: 1 - GAP }),
    shape("rect", { class: "failed", width: 1 - GAP }),
    shape("title", {}),
  );
}

function place(bar, index, y, height) {
  set(bar, "x", index + GAP / 2);
  set(bar, "y", y);
  set(bar, "height", height);
}

function mark(value, share) {
  const node = element("span", {}, minute(value));
  node.style.setProperty("--at", share);
  return node;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}
