// Keys that work wherever the focus is, but in fields; the reader can turn them off.

import { byId } from "./dom.js";

const STORED = "snowplow-collector-keys";

// actions: key → function. Escape works in fields, too, and with keys turned off.
export function listenToKeys(actions) {
  const box = byId("keys");
  box.checked = localStorage.getItem(STORED) !== "off";
  box.addEventListener("change", () => localStorage.setItem(STORED, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const isLetter = event.key.length === 1;
    if (isLetter && (!box.checked || isField(event.target))) return;
    if (actions[event.key]?.(event)) event.preventDefault();
  });
}

function isField(node) {
  return node.matches("input:not([type=radio], [type=checkbox]), select, textarea");
}
