// The page: what is shown is a function of the rows that are kept and of the address.

import { onMove, push, replace } from "./address.js";
import { Chart } from "./chart.js";
import { Controls } from "./controls.js";
import { Detail } from "./detail.js";
import { announce, byId, setText } from "./dom.js";
import { ask, Feed } from "./feed.js";
import {
  fromFragment,
  isFiltering,
  matcher,
  NOTHING,
  period,
  toFragment,
  withPeriod,
} from "./filters.js";
import { number, plural } from "./format.js";
import { parse } from "./json.js";
import { listenToKeys } from "./keys.js";
import { indexOf, Rows } from "./rows.js";
import { Table } from "./table.js";

const KEPT = 20_000; // rows
const TICK = 10_000; // milliseconds: the chart moves on, and news are said

const rows = new Rows(KEPT);
const feed = new Feed(rows, received, connected);
const table = new Table(open);
const detail = new Detail(close, (steps) => move(() => table.move(steps)));
const chart = new Chart((chosen) => go({ filters: withPeriod(state.filters, chosen) }));
const controls = new Controls((changed, isTyping) => {
  go({ filters: { ...state.filters, ...changed } }, isTyping ? replace : push);
});

const state = {
  ...fromFragment(location.hash), // filters, and the id or the number of the event that is open
  counts: { total: 0, good: 0, bad: 0 },
  connection: "",
  until: null, // while it is paused: the newest number that is shown
  areOthers: true, // whether the rows to show are others than before, not just more
  isDue: false, // whether a refresh will come
};

// The address

// Changes what the reader sees; how writes it into the address.
function go(changes, how = push) {
  Object.assign(state, changes);
  how(toFragment(state.filters, state.event));
  if (changes.filters) follow();
}

function follow() {
  controls.show(state.filters);
  byId("unfilter").hidden = !isFiltering(state.filters);
  state.areOthers = true;
  schedule();
}

onMove(() => {
  Object.assign(state, fromFragment(location.hash));
  follow();
  showEvent();
});

// The rows

function received(counts) {
  Object.assign(state.counts, counts);
  if (state.until !== null && !rows.newest) state.until = 0; // they are cleared
  schedule();
}

function schedule() {
  if (!state.isDue) requestAnimationFrame(refresh);
  state.isDue = true;
}

function refresh() {
  state.isDue = false;
  const { shown, counts, waiting } = select();
  controls.offer(rows.list);
  controls.showCounts(state.counts);
  table.show(shown, state.areOthers);
  chart.show(counts, period(state.filters));
  showSummary(shown.length);
  showState(waiting);
  if (state.areOthers) announce(byId("summary").textContent);
  state.areOthers = false;
}

// The rows that the filters let through, and how many of them there are in each minute, be it
// chosen or not.
function select() {
  const shown = [];
  const counts = new Map();
  const matches = matcher(state.filters);
  const [first, last] = period(state.filters) ?? [-Infinity, Infinity];
  let waiting = 0;
  for (const row of rows.list) {
    if (!matches(row)) continue;
    if (state.until !== null && row.seq > state.until) {
      waiting += 1;
      continue;
    }
    if (!counts.has(row.minute)) counts.set(row.minute, [0, 0]);
    counts.get(row.minute)[row.good ? 0 : 1] += 1;
    if (row.minute >= first && row.minute <= last) shown.push(row);
  }
  return { shown, counts, waiting };
}

function showSummary(count) {
  const { total, bad } = state.counts;
  const isPaused = state.until !== null;
  const kept = rows.list.length - (isPaused ? indexOf(rows.list, state.until) : 0);
  const all = total > kept && !isPaused ? `, the newest of ${number(total)}` : "";
  const shown = isFiltering(state.filters) ? `${number(count)} of ` : "";
  setText(byId("summary"), `${shown}${plural(kept, "event")}${all}`);
  byId("empty").hidden = total > 0 || kept > 0 || state.connection === "";
  byId("unmatched").hidden = count > 0 || kept === 0;
  document.title = bad ? `${number(bad)} failed · Snowplow collector` : "Snowplow collector";
}

// The connection

function connected(connection) {
  if (connection !== state.connection)
    announce(connection === "live" ? "Connected" : "No answer from the collector");
  state.connection = connection;
  schedule();
}

function showState(waiting) {
  const { connection, until } = state;
  const texts = { "": "Connecting", live: "Live", lost: "Reconnecting" };
  const isPaused = until !== null && connection === "live";
  setText(byId("state"), isPaused ? "Paused" : texts[connection]);
  byId("state").dataset.state = isPaused ? "paused" : connection;
  setText(
    byId("pause"),
    until === null ? "Pause" : `Resume${waiting ? ` (${number(waiting)} new)` : ""}`,
  );
}

function pause() {
  state.until = state.until === null ? (rows.newest?.seq ?? 0) : null;
  announce(state.until === null ? "Live" : "Paused");
  schedule();
}

async function clear() {
  try {
    await ask("reset", { method: "POST" });
    if (state.event !== null) close();
    announce("All events are cleared");
  } catch (error) {
    announce(`Nothing is cleared: ${error.message}`);
  }
}

let told = 0;

setInterval(() => {
  const { total } = state.counts;
  if (total > told && state.until === null) announce(`${plural(total - told, "new event")}`);
  told = total;
  schedule();
}, TICK);

// One event

const keyOf = (row) => row.event_id ?? String(row.seq);
const known = (key) => rows.list.find((row) => keyOf(row) === key) ?? null;

function open(row, withKey) {
  const isOpen = state.event !== null;
  go({ event: keyOf(row) }, isOpen ? replace : push);
  showEvent(row);
  if (detail.hasFocus) return;
  if (withKey || isNarrow.matches) detail.focus();
  else table.focus();
}

function close() {
  go({ event: null });
  showEvent();
  table.focus();
}

// On a narrow screen an event covers all else, which then cannot be reached.
const isNarrow = matchMedia("(width < 48rem)");
const others = document.querySelectorAll("body > header, #chart, #filters, .list, footer");

function cover() {
  for (const node of others) node.inert = isNarrow.matches && state.event !== null;
}

isNarrow.addEventListener("change", cover);

let asking = new AbortController();

async function showEvent(row = known(state.event)) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const key = state.event;
  cover();
  table.choose(key === null ? null : (row?.seq ?? null));
  if (key === null) {
    detail.hide();
    return;
  }
  detail.wait(row);
  try {
    const answer = await ask(`event/${row?.seq ?? encodeURIComponent(key)}`, { signal }, parse);
    detail.show(answer);
    table.choose(answer.row.seq);
  } catch (error) {
    if (!signal.aborted) detail.showError(row, `It cannot be shown: ${error.message}`);
  }
}

// The keys

function move(change) {
  const row = change();
  if (!row) return false;
  if (state.event !== null) open(row, false);
  else table.focus();
  return true;
}

// A function for a key that is the table's, unless something else has the focus.
const inTable = (change) => (event) =>
  (event.target === document.body || event.target === byId("grid")) && move(change);

function escape(event) {
  const isSearch = event.target.id === "search";
  if (isSearch && state.filters.q) go({ filters: { ...state.filters, q: "" } });
  else if (state.event !== null) close();
  else if (isSearch) table.focus();
  return true;
}

function openActive(event) {
  const row = table.activeRow;
  if (event.target !== byId("grid") || !row) return false;
  open(row, true);
  return true;
}

function onlyFailed() {
  go({ filters: { ...state.filters, status: state.filters.status === "failed" ? "" : "failed" } });
  return true;
}

listenToKeys({
  "/": () => (controls.focus(), true),
  j: () => move(() => table.move(1)),
  k: () => move(() => table.move(-1)),
  ArrowDown: inTable(() => table.move(1)),
  ArrowUp: inTable(() => table.move(-1)),
  PageDown: inTable(() => table.page(1)),
  PageUp: inTable(() => table.page(-1)),
  Home: inTable(() => table.activate(0)),
  End: inTable(() => table.activate(Infinity)),
  Enter: openActive,
  Escape: escape,
  f: onlyFailed,
  c: () => detail.copyDocument(),
  p: () => (pause(), true),
});

byId("pause").addEventListener("click", pause);
byId("clear").addEventListener("click", clear);
byId("unfilter").addEventListener("click", () => go({ filters: NOTHING }));
byId("period").addEventListener("click", () => go({ filters: withPeriod(state.filters, null) }));
document.addEventListener("visibilitychange", () =>
  document.hidden ? feed.close() : feed.connect(),
);

setText(byId("endpoint"), location.origin);
setText(
  byId("example"),
  `"snowplow": {
    "class": "snowplow_logging.SnowplowHandler",
    "endpoint": "${location.origin}",
    "app_id": "checkout",
}`,
);
follow();
showEvent();
feed.connect();
