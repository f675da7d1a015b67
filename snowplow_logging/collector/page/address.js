// Keeps the fragment of the address in step with what the reader does.

const REST = 200; // milliseconds

let waiting = null; // a fragment that is still to be written
let timer = null;

// Writes a step that one can go back from.
export function push(fragment) {
  write();
  history.pushState(null, "", location.pathname + fragment);
}

// Writes a step that one cannot go back from, and when there is time for it: such steps follow
// each other quickly, and browsers take only some of them a second.
export function replace(fragment) {
  clearTimeout(timer);
  waiting = fragment;
  timer = setTimeout(write, REST);
}

// Has action called when the reader went back, forward, or changed the address.
export function onMove(action) {
  window.addEventListener("popstate", () => {
    waiting = null;
    action();
  });
}

function write() {
  if (waiting !== null) history.replaceState(null, "", location.pathname + waiting);
  waiting = null;
}
