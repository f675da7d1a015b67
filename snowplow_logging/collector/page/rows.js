// The rows that the page keeps, newest first. Pure.
// Law: never more than the limit, none that the collector has not, each once; the oldest go first.

import { MINUTE } from "./format.js";

export class Rows {
  constructor(limit) {
    this.limit = limit;
    this.list = [];
  }

  get newest() {
    return this.list[0] ?? null;
  }

  // Whether a row that is older than seq would go at once.
  isFullAbove(seq) {
    return this.list.length >= this.limit && this.list.at(-1).seq >= seq;
  }

  // Adds rows of which none is there yet.
  add(batch) {
    for (const row of batch) row.minute = Math.floor(Date.parse(row.time) / MINUTE);
    // Sorting two runs is merging them.
    this.list = this.list.concat(batch).sort((a, b) => b.seq - a.seq);
    this.list.length = Math.min(this.list.length, this.limit);
  }

  // Drops what is older than the first row that the collector keeps.
  dropBefore(first) {
    if (this.list.length && this.list.at(-1).seq < first)
      this.list.length = indexOf(this.list, first - 1);
  }

  clear() {
    this.list = [];
  }
}

// The index of the first row whose number is not greater than seq.
export function indexOf(list, seq) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].seq > seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
