// The store and its feed of changes, against a daemon made of promises and a clock that the test turns.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { createStore } from "../../visualiser/store.js";

const listeners = new Map();
globalThis.document ??= {}; // a browser has one
Object.defineProperty(document, "visibilityState", { value: "visible", writable: true });
document.addEventListener = (name, listener) => listeners.set(name, listener);

/** Calls that wait to be answered, newest last. */
let calls = [];
let store;
let shown;

function call(method, args, signal) {
  return new Promise((resolve, reject) => {
    calls.push({ method, args, signal, resolve, reject });
    signal?.addEventListener("abort", () => reject(new Error("hung up")));
  });
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** Answers the oldest call of a method. */
async function answer(method, value) {
  const place = calls.findIndex((each) => each.method === method && !each.signal?.aborted);
  assert.notEqual(place, -1, `nobody asked for ${method}`);
  const [found] = calls.splice(place, 1);
  if (value instanceof Error) found.reject(value);
  else found.resolve(value);
  await settled();
  return found.args;
}

const waiting = (method) => calls.filter((each) => each.method === method && !each.signal?.aborted).length;

const OVERVIEW = { total: 1, paused: false };
const news = (revision, counts = { DONE: 1 }) => ({ revision, counts });

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  calls = [];
  shown = 0;
  document.visibilityState = "visible";
  store = createStore(call, () => (shown += 1));
});

async function begin() {
  store.watch();
  await settled();
  const args = await answer("changes", news(7));
  await answer("overview", OVERVIEW);
  await answer("whoami", { name: "ann", role: "viewer", may: ["tasks"] });
  return args;
}

test("the first question is answered at once, the next waits for a change", async () => {
  assert.deepEqual(await begin(), { since: 0, wait: 0, limit: 0 });
  assert.deepEqual([store.loaded, store.revision, store.counts.DONE, store.overview.total], [true, 0, 1, 1]);
  assert.equal(waiting("changes"), 0);
  await pass(1_000);
  const { since, wait } = await answer("changes", news(8, { DONE: 2 }));
  assert.equal(since, 7);
  assert.ok(wait > 0);
  assert.deepEqual([store.revision, store.counts.DONE], [1, 2]);
});

test("when it has become quiet all is read once more, and then no more", async () => {
  await begin();
  await pass(1_000);
  await answer("changes", news(7));
  await answer("overview", OVERVIEW);
  assert.equal(store.revision, 1);
  for (let n = 0; n < 3; n += 1) {
    await pass(1_000);
    const { wait } = await answer("changes", news(7));
    assert.ok(wait > 20);
  }
  assert.deepEqual([store.revision, waiting("overview")], [1, 0]);
});

test("what was asked before the daemon was first found is asked again", async () => {
  store.watch();
  await settled();
  await answer("changes", new Error("cannot be reached"));
  await pass(3_000);
  await answer("changes", news(7));
  assert.deepEqual([store.loaded, store.lost, store.revision], [true, null, 1]);
});

test("roles keep from calls once they are known", async () => {
  assert.equal(store.may("pause"), true);
  await begin();
  assert.deepEqual([store.may("pause"), store.may("tasks")], [false, true]);
});

test("a hidden page asks for nothing, a shown one at once", async () => {
  await begin();
  await pass(1_000);
  document.visibilityState = "hidden";
  listeners.get("visibilitychange")();
  await pass(60_000);
  assert.equal(waiting("changes"), 0);
  assert.equal(store.lost, null);
  document.visibilityState = "visible";
  listeners.get("visibilitychange")();
  await settled();
  assert.equal(waiting("changes"), 1);
});

test("a lost daemon is told of once, asked again, and read anew when it is back", async () => {
  await begin();
  await pass(1_000);
  await answer("changes", new Error("cannot be reached"));
  assert.equal(store.lost.error.message, "cannot be reached");
  const { since } = store.lost;
  await pass(3_000);
  await answer("changes", new Error("still not"));
  assert.equal(store.lost.since, since);
  await pass(3_000);
  // Even if nothing changed meanwhile: who one is may have.
  const args = await answer("changes", news(7));
  assert.equal(args.wait, 0);
  assert.deepEqual([store.lost, store.revision, waiting("whoami")], [null, 1, 1]);
});

test("after one's own change the daemon is asked at once, and the wait is ended", async () => {
  await begin();
  await pass(1_000);
  assert.equal(waiting("changes"), 1);
  let known = false;
  store.refresh().then(() => (known = true));
  await settled();
  assert.equal(waiting("changes"), 1);
  assert.equal(known, false);
  const { wait } = await answer("changes", news(9));
  assert.deepEqual([wait, known, store.revision], [0, true, 1]);
});

test("what cannot be read beside the changes is told, and can be asked for again", async () => {
  store.watch();
  await settled();
  await answer("changes", news(7));
  await answer("overview", new Error("no"));
  assert.equal(store.trouble.message, "no");
  store.retry();
  await answer("overview", OVERVIEW);
  assert.equal(store.trouble, null);
});
