// Which tasks a view shows, and in which order. Pure functions of the store's tasks and the route.

import { taskName, workerName } from "./format.js";
import { rank } from "./status.js";

/** When a task came to be as it is, epoch in seconds; -Infinity where nobody knows. */
export function since(task) {
  const moment = running(task) ? (task.time_running ?? task.last_updated) : task.last_updated;
  return typeof moment === "number" ? moment : -Infinity;
}

/** Whether a worker is at it. */
export const running = (task) => task.status === "RUNNING" || task.status === "BATCH_RUNNING";

/** A test of tasks against the route's statuses, family and words (all of which must occur). */
export function matcher({ statuses, family, search }) {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word);
  return (task) =>
    (!statuses.length || statuses.includes(task.shown)) &&
    (!family || taskName(task) === family) &&
    contains(task, words);
}

function contains(task, words) {
  if (!words.length) return true;
  const haystack = `${task.id} ${task.display_name} ${task.worker_running ?? ""}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}

const ascending = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const latestFirst = (a, b) => ascending(since(b), since(a));
const byName = (a, b) => ascending(taskName(a), taskName(b)) || ascending(a.display_name, b.display_name);
const workerOf = (task) => (task.worker_running ? workerName({ name: task.worker_running }) : "\uffff");

const COMPARISONS = {
  status: (a, b) => rank(a.shown) - rank(b.shown),
  task: byName,
  priority: (a, b) => a.priority - b.priority,
  since: (a, b) => ascending(since(a), since(b)),
  worker: (a, b) => ascending(workerOf(a), workerOf(b)),
};

/** A comparison of tasks for the route's order. Equals stand latest first, then by name: an order that holds still. */
export function comparison({ sort, descending }) {
  const first = COMPARISONS[sort];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * first(a, b) || latestFirst(a, b) || byName(a, b);
}

/**
 * How many tasks there are of each family and status, largest family first.
 * @returns {Array<{family: string, total: number, statuses: Map<string, number>}>}
 */
export function byFamily(tasks) {
  const found = new Map();
  for (const task of tasks) {
    const name = taskName(task);
    if (!found.has(name)) found.set(name, { family: name, total: 0, statuses: new Map() });
    const entry = found.get(name);
    entry.total += 1;
    entry.statuses.set(task.shown, (entry.statuses.get(task.shown) ?? 0) + 1);
  }
  return [...found.values()].sort((a, b) => b.total - a.total || ascending(a.family, b.family));
}
