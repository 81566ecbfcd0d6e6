// What is known of the daemon, and when to ask again.
//
// A refresh asks for everything and replaces everything, so what is shown was true at one time. The daemon refuses
// lists longer than its max_shown_tasks with {"num_tasks": n}; then each status is asked for by itself, and of those
// that are still too many only the count is known, and what a search on the daemon finds.

const SHORTEST_WAIT_MS = 3_000;
const LONGEST_WAIT_MS = 60_000;

// Rest ten times as long as an answer took: however much there is to tell, a page keeps the daemon busy a tenth of the
// time at most.
const REST = 10;

const WIRE_STATUSES = ["PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "UNKNOWN"];
const UPSTREAM = ["UPSTREAM_DISABLED", "UPSTREAM_FAILED"];

/**
 * @param {function(string, Object): Promise<*>} call  see api.js
 * @param {function(): string} searched  the words the person looks for
 * @param {function()} changed  called after every change
 */
export function createStore(call, searched, changed) {
  const store = {
    /** Whether anything was ever read. */
    loaded: false,
    /**
     * Id to task, as in task_list, with two fields more: `id`, and `shown`, its status or else its upstream status.
     * @type {Map<string, Object>}
     */
    tasks: new Map(),
    /** Status to number of tasks; null where the daemon would not say. @type {Map<string, ?number>} */
    counts: new Map(),
    /** How many tasks there are, whatever their status. */
    total: 0,
    /** The statuses of which there are too many tasks to list. @type {string[]} */
    unlisted: [],
    /** As in worker_list. @type {Object[]} */
    workers: [],
    /** As in resource_list. @type {Object[]} */
    resources: [],
    pauseEnabled: false,
    paused: false,
    /** When the last refresh ended well, ms since epoch. */
    readAt: 0,
    /** Why the last refresh failed, since when (ms since epoch). @type {?{error: Error, since: number}} */
    lost: null,
    refresh,
    watch,
  };

  let timer = 0;
  let current = null;
  let next = null;
  let wait = SHORTEST_WAIT_MS;

  /** Reads everything once more. While a refresh is under way, another follows it: that one may have read too early. */
  function refresh() {
    if (current === null) current = run().finally(() => (current = null));
    else next ??= current.then(follow, follow);
    return next ?? current;
  }

  function follow() {
    next = null;
    return refresh();
  }

  async function run() {
    clearTimeout(timer);
    const start = performance.now();
    try {
      if (store.lost) await call("is_paused"); // one vain call, not six, while nobody answers
      Object.assign(store, await readAll(call, searched()), { loaded: true, lost: null, readAt: Date.now() });
      wait = Math.min(Math.max(SHORTEST_WAIT_MS, REST * (performance.now() - start)), LONGEST_WAIT_MS);
    } catch (error) {
      store.lost = { error, since: store.lost?.since ?? Date.now() };
      wait = SHORTEST_WAIT_MS;
    }
    schedule();
    changed();
  }

  function schedule() {
    clearTimeout(timer);
    if (document.visibilityState === "visible") timer = setTimeout(refresh, wait);
  }

  /** Keeps the store fresh from now on, as long as the page can be seen. */
  function watch() {
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") refresh();
      else clearTimeout(timer);
    });
    return refresh();
  }

  return store;
}

async function readAll(call, search) {
  const [tasks, workers, resources, pause, paused] = await Promise.all([
    readTasks(call, search),
    call("worker_list"),
    call("resource_list"),
    call("is_pause_enabled"),
    call("is_paused"),
  ]);
  return { ...tasks, workers, resources, pauseEnabled: pause.enabled, paused: paused.paused };
}

async function readTasks(call, search) {
  const [all, ...upstream] = await Promise.all([
    call("task_list"),
    ...UPSTREAM.map((upstream_status) => call("task_list", { status: "PENDING", upstream_status })),
  ]);
  if (refused(all) === null) return sorted([all], upstream, new Map());
  return readByStatus(call, search, upstream);
}

async function readByStatus(call, search, upstream) {
  const replies = await Promise.all(WIRE_STATUSES.map((status) => call("task_list", { status })));
  const tooMany = new Map(
    WIRE_STATUSES.map((status, i) => [status, refused(replies[i])]).filter(([, n]) => n !== null),
  );
  const found = search
    ? await Promise.all([...tooMany.keys()].map((status) => call("task_list", { status, search })))
    : [];
  return sorted(
    [...replies, ...found].filter((reply) => refused(reply) === null),
    upstream,
    tooMany,
  );
}

// The number in {"num_tasks": n}, else null. A task may be called num_tasks, but then it is no number.
function refused(reply) {
  return typeof reply.num_tasks === "number" ? reply.num_tasks : null;
}

function sorted(replies, upstream, tooMany) {
  const tasks = new Map();
  for (const reply of replies) for (const [id, task] of Object.entries(reply)) put(tasks, id, task);
  upstream.forEach((reply, i) => markUpstream(tasks, reply, UPSTREAM[i]));
  const counts = count(tasks, upstream, tooMany);
  return { tasks, counts, total: total(counts, tooMany.has("PENDING")), unlisted: [...tooMany.keys()] };
}

// Where the pending tasks are only counted, those behind a failure are among them.
function total(counts, countedTwice) {
  const statuses = [...counts.keys()].filter((status) => !(countedTwice && UPSTREAM.includes(status)));
  return statuses.reduce((sum, status) => sum + counts.get(status), 0);
}

function put(tasks, id, task) {
  tasks.set(id, Object.assign(task, { id, shown: task.status }));
}

function markUpstream(tasks, reply, status) {
  if (refused(reply) !== null) return;
  for (const [id, task] of Object.entries(reply)) {
    if (!tasks.has(id)) put(tasks, id, task);
    if (tasks.get(id).status === "PENDING") tasks.get(id).shown = status;
  }
}

function count(tasks, upstream, tooMany) {
  const counts = new Map([...WIRE_STATUSES, ...UPSTREAM].map((status) => [status, 0]));
  for (const { shown } of tasks.values()) counts.set(shown, (counts.get(shown) ?? 0) + 1);
  for (const [status, n] of tooMany) counts.set(status, n);
  upstream.forEach((reply, i) => {
    if (refused(reply) !== null) counts.set(UPSTREAM[i], null);
  });
  return counts;
}
