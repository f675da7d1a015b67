// Keeps the rows in step with the collector: the newest at once, older ones in pages behind them,
// new ones as they come; and says how the connection is.

const FIRST = 200; // rows that are shown before all others are asked for
const PAGE = 1000;
const RESTS = [500, 1000, 2000, 4000]; // milliseconds between attempts

// The answer of the collector, as read makes it of the text.
export async function ask(path, options, read = JSON.parse) {
  const answer = await fetch(path, options);
  if (answer.status === 404) throw new Error("the collector does not keep it, or not any more");
  if (!answer.ok) throw new Error(`the collector answered ${answer.status}`);
  return read(await answer.text());
}

export class Feed {
  #rows;
  #onChange;
  #onState;
  #source = null;
  #timer = null;
  #connection = 0; // what belongs to an earlier one is not taken
  #failures = 0;
  #last = 0; // the number up to which all rows are here, or in a gap
  #gaps = []; // [after, before]: rows that are not here yet
  #isFilling = false;

  // onChange(counts) is called after each change of the rows, onState("live" or "lost").
  constructor(rows, onChange, onState) {
    this.#rows = rows;
    this.#onChange = onChange;
    this.#onState = onState;
  }

  async connect() {
    this.close();
    const connection = this.#connection;
    try {
      const page = await ask(`rows?limit=${FIRST}`);
      const isSame = await this.#isSame();
      if (connection !== this.#connection) return;
      if (!isSame) this.#forget();
      this.#take(page);
      this.#listen();
      this.#fill();
    } catch {
      if (connection === this.#connection) this.#retry();
    }
  }

  // Tabs that nobody sees need no connection, of which a browser allows a few alone.
  close() {
    this.#connection += 1;
    this.#source?.close();
    clearTimeout(this.#timer);
  }

  // Whether the collector still holds what is here: else it was started anew, or cleared.
  async #isSame() {
    const { newest } = this.#rows;
    if (!newest) return true;
    const { rows } = await ask(`rows?before=${newest.seq + 1}&limit=1`);
    return ["seq", "time", "event_id"].every((key) => rows[0]?.[key] === newest[key]);
  }

  #listen() {
    const source = new EventSource(`live?after=${this.#last}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.#onState("live");
    });
    source.addEventListener("rows", (event) => this.#take(JSON.parse(event.data)));
    source.addEventListener("reset", (event) => {
      this.#forget();
      this.#onChange(JSON.parse(event.data));
    });
    source.addEventListener("error", () => this.#retry());
  }

  #retry() {
    this.close();
    this.#onState("lost");
    const rest = RESTS[Math.min(this.#failures, RESTS.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect(), rest);
  }

  #forget() {
    this.#rows.clear();
    this.#gaps = [];
    this.#last = 0;
  }

  // Takes the newest rows; between them and those that are here may be others.
  #take({ rows, first, ...counts }) {
    const fresh = rows.filter((row) => row.seq > this.#last);
    if (fresh.length) {
      const oldest = fresh.at(-1).seq;
      if (oldest > this.#last + 1) this.#gaps.push([this.#last, oldest]);
      this.#last = fresh[0].seq;
      this.#rows.add(fresh);
      this.#fill();
    }
    this.#rows.dropBefore(first);
    this.#onChange(counts);
  }

  async #fill() {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      while (this.#gaps.length) await this.#fillNewest();
    } catch {
      // The connection is lost, which the stream notices, too; the gap stays for the next one.
    } finally {
      this.#isFilling = false;
    }
  }

  async #fillNewest() {
    const gap = this.#gaps.at(-1);
    const [after, before] = gap;
    const { rows, first, ...counts } = await ask(
      `rows?after=${after}&before=${before}&limit=${PAGE}`,
    );
    if (!this.#gaps.includes(gap)) return; // forgotten meanwhile
    this.#rows.add(rows);
    const oldest = rows.at(-1)?.seq ?? 0;
    const isWanted = oldest > Math.max(after + 1, first) && !this.#rows.isFullAbove(oldest);
    if (isWanted) gap[1] = oldest;
    else this.#gaps.splice(this.#gaps.indexOf(gap), 1);
    this.#onChange(counts);
  }
}
