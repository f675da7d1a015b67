// The form of filters: it shows what the address says, and offers what the rows hold.

import { byId, element, setText } from "./dom.js";
import { FACETS, period } from "./filters.js";
import { minute, number, parts } from "./format.js";

const MAX_OPTIONS = 500; // of a list to choose from

export class Controls {
  #form = byId("filters");
  #known = new Map(Object.keys(FACETS).map((name) => [name, new Set()]));

  // onChange(filters, isTyping) is called with the filters of the form that changed.
  constructor(onChange) {
    this.#form.addEventListener("input", ({ target }) => {
      onChange({ [target.name]: target.value }, target.name === "q");
    });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    byId("more").addEventListener("click", () => this.#fold());
  }

  focus() {
    byId("search").select();
  }

  // Shows these filters.
  show(filters) {
    const { elements } = this.#form;
    for (const option of elements.status) option.checked = option.value === filters.status;
    if (elements.q.value !== filters.q) elements.q.value = filters.q;
    for (const name of Object.keys(FACETS)) {
      this.#offer(name, filters[name]);
      elements[name].value = filters[name];
      elements[name].classList.toggle("set", filters[name] !== "");
    }
    const count = Object.keys(FACETS).filter((name) => filters[name]).length;
    setText(byId("more"), count ? `Filters (${count})` : "Filters");
    this.#showPeriod(period(filters));
  }

  // Offers the values of these rows to choose from.
  offer(rows) {
    for (const [name, key] of Object.entries(FACETS)) {
      const known = this.#known.get(name);
      for (const row of rows) if (!known.has(row[key])) this.#offer(name, row[key]);
    }
  }

  showCounts({ total, good, bad }) {
    setText(byId("total"), number(total));
    setText(byId("good"), number(good));
    setText(byId("bad"), number(bad));
  }

  #offer(name, value) {
    const known = this.#known.get(name);
    if (!value || known.has(value) || known.size >= MAX_OPTIONS) return;
    known.add(value);
    const label = name === "schema" ? schemaLabel(value) : value;
    const option = element("option", { value }, label);
    const [, ...others] = this.#form.elements[name].options;
    const next = others.find((other) => other.text.localeCompare(label) > 0);
    this.#form.elements[name].insertBefore(option, next ?? null);
  }

  #showPeriod(chosen) {
    const chip = byId("period");
    chip.hidden = chosen === null;
    if (!chosen) return;
    const [first, last] = chosen.map(minute);
    const text = first === last ? first : `${first} – ${last}`;
    setText(chip, `${text} ✕`);
    chip.setAttribute("aria-label", `Show all minutes, not just ${text}`);
  }

  // On narrow screens the lists are folded away.
  #fold() {
    const isOpen = byId("facets").classList.toggle("open");
    byId("more").setAttribute("aria-expanded", isOpen);
  }
}

function schemaLabel(uri) {
  const { vendor, name, version } = parts(uri);
  return `${name} ${version} (${vendor})`;
}
