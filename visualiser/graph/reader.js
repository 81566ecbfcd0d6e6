// Talks with the worker: asks it to read what the address says, again when the store has seen a change, and to arrange
// what was read.

import { askedBy, askedIn } from "./common.js";

const REFRESH_MS = 2_000;

/**
 * @param store  see store.js
 * @param {{worker: Worker, failed: Promise<ErrorEvent>, hash: string}} begun  `failed` resolves if the worker cannot
 *   start; it began with reading what that address asks for
 * @param {Object<string, function(Object)>} heard  what to do with each kind of message: see worker.js; "scene",
 *   "colours", "unchanged" and "failed" end a reading
 */
export function createReader(store, { worker, failed, hash }, heard) {
  let asked = askedIn(hash);
  let reading = true;
  let readAt = Date.now();
  let { revision } = store;
  let timer = 0;

  const post = (kind, more = {}) => worker.postMessage({ kind, ...more });

  worker.onmessage = ({ data }) => {
    if (ENDS.has(data.kind)) reading = false;
    heard[data.kind](data);
  };
  failed.then(({ message }) => {
    reading = false;
    heard.failed({ message: message || "its code could not be loaded" });
  });

  function read() {
    clearTimeout(timer);
    timer = 0;
    reading = true;
    readAt = Date.now();
    ({ revision } = store);
    post("read", asked);
  }

  // Not more often than every two seconds, however much changes.
  function readLater() {
    if (!timer) timer = setTimeout(read, Math.max(0, readAt + REFRESH_MS - Date.now()));
  }

  return {
    post,
    read,
    readLater,
    /** Asks what is to be asked by now; `graph`: that of the route. Returns whether something else is to be seen. */
    ask(graph) {
      const before = asked;
      asked = askedBy(graph);
      if (!same(asked.question, before.question)) read();
      else if (!same(asked.arrangement, before.arrangement)) post("arrange", { arrangement: asked.arrangement });
      else {
        if (!reading && store.revision !== revision) readLater();
        return false;
      }
      return true;
    },
    /** Nothing is read any more until the next question. */
    rest() {
      clearTimeout(timer);
      timer = 0;
    },
  };
}

const ENDS = new Set(["scene", "colours", "unchanged", "failed"]);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
