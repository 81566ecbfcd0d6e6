// What is known of the daemon as a whole, kept up to date by its feed of changes.
//
// One request waits at the daemon for the next change (a long poll), so that what happens is seen at once and nothing
// is asked while nothing happens. The store holds numbers, never the tasks: each view asks for what it shows, and asks
// again when `revision` has risen.

import { lookup } from "./api.js";

// How long the daemon may hold a question back; less than proxies use to allow.
const WAIT_S = 25;
// What follows from a change (what waits for what, rates) the daemon may work out a little later, and tells nobody: when
// no other change came for so long, all is read once more.
const SETTLED_S = 3;
// After a change, the next is heard of no earlier than this: what changes all the time is shown once a second.
const REST_MS = 1_000;
// While nobody answers.
const RETRY_MS = 3_000;

/**
 * @param {function(string, Object, AbortSignal=): Promise<*>} call  see api.js
 * @param {function()} changed  called after every change
 */
export function createStore(call, changed) {
  const overview = lookup((_, signal) => call("overview", {}, signal), changed, { keep: true });
  const person = lookup((_, signal) => call("whoami", {}, signal), changed, { keep: true });
  const store = {
    /** Whether anything was ever read. */
    loaded: false,
    /** Rises with every change seen after the first reading, and when the daemon is found again. */
    revision: 0,
    /** When the daemon last answered, ms since epoch. */
    readAt: 0,
    /** Why the last question failed, since when (ms since epoch). @type {?{error: Error, since: number}} */
    lost: null,
    /** As in overview(); null before it is known. */
    get overview() {
      return overview.value;
    },
    /** Who looks at the page, as in whoami(); null before it is known. */
    get person() {
      return person.value;
    },
    /** Tasks by the status they are shown with. @type {Object<string, number>} */
    counts: {},
    /** What of the above could not be read though the daemon is there. @type {?Error} */
    get trouble() {
      return overview.error ?? person.error;
    },
    may,
    refresh,
    retry,
    watch,
  };

  let since = null;
  let unsettled = false; // whether a change is not followed by such a reading yet
  let found = 0; // how often the daemon was found again
  let following = false;
  let waking = new AbortController();
  let asking = []; // resolve functions of refresh()

  /** Whether the person may make this call. Until the daemon has said who they are, nobody is kept from trying. */
  function may(method) {
    return person.value?.may.includes(method) ?? true;
  }

  /** Looks for changes at once, as after one's own; resolves when they are known. */
  function refresh() {
    return new Promise((resolve) => {
      asking.push(resolve);
      waking.abort();
      follow();
    });
  }

  /** Asks again for what could not be read. */
  function retry() {
    for (const facts of [overview, person]) if (facts.error) facts.retry();
  }

  /** Keeps the store up to date from now on, for as long as the page can be seen. */
  function watch() {
    document.addEventListener("visibilitychange", () => {
      if (visible()) follow();
      else waking.abort();
    });
    return refresh();
  }

  async function follow() {
    if (following) return;
    following = true;
    while (visible() || asking.length) {
      waking = new AbortController();
      const told = asking.splice(0);
      const wait = unsettled ? SETTLED_S : WAIT_S;
      await look(told.length || store.lost ? 0 : wait, waking.signal);
      if (waking.signal.aborted) asking.push(...told);
      else for (const resolve of told) resolve();
      await rest(store.lost ? RETRY_MS : REST_MS, waking.signal);
    }
    following = false;
  }

  async function look(wait, signal) {
    const wanted = { since: since ?? 0, wait: since === null ? 0 : wait, limit: 0 };
    try {
      take(await call("changes", wanted, signal), wanted.wait > 0);
    } catch (error) {
      if (signal.aborted) return; // we hung up ourselves
      store.lost = { error, since: store.lost?.since ?? Date.now() };
    }
    changed();
  }

  function take(news, waited) {
    const again = store.lost !== null;
    const fresh = again || news.revision !== since;
    if (again) found += 1;
    // What was asked along with the very first question stands; should it be older than the answer, it settles soon.
    const first = since === null && !again;
    if (!first && (fresh || (unsettled && waited))) store.revision += 1;
    unsettled = fresh || (unsettled && !waited);
    since = news.revision;
    Object.assign(store, { loaded: true, lost: null, readAt: Date.now(), counts: news.counts });
    overview.update(null, store.revision);
    person.update(null, found);
  }

  return store;
}

const visible = () => document.visibilityState === "visible";

function rest(ms, signal) {
  if (signal.aborted) return null;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)));
  });
}
