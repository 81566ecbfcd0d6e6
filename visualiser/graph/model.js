// What the graph shows, made of what the daemon said: tasks as arrays of numbers, families in place of their tasks, the
// longest unfinished chain. Pure functions without a document, for the worker and for tests.
//
// Statuses are numbers here: places in STATUS_NAMES.

import { GROUP_HEIGHT, STATUS_NAMES, TASK_HEIGHT } from "./common.js";
import { adjacency, closingEdges, topological } from "./ranks.js";

const [DONE, UNKNOWN] = ["DONE", "UNKNOWN"].map((name) => STATUS_NAMES.indexOf(name));

const statusNumber = (name) => (STATUS_NAMES.includes(name) ? STATUS_NAMES.indexOf(name) : UNKNOWN);

/** From this many nodes on a graph opens with its families in place of their tasks. */
export const MANY = 1_500;

/**
 * @typedef {Object} Tasks  as read from the daemon
 * @property {string[]} ids  the task that was asked for is the first
 * @property {string[]} families
 * @property {Int32Array} family  of each task, place in families
 * @property {Uint8Array} status  of each task, as shown
 * @property {Int32Array} from  of each edge, the task that is depended on
 * @property {Int32Array} to  of each edge, the task that depends on it
 * @property {Int32Array} more  of each task, how many neighbours it has that are not here
 * @property {number} total  tasks that were found
 * @property {boolean} complete  whether all of them are here
 * @property {Array<?number>} seconds  what a run takes as a rule, by family; null: nobody knows
 * @property {?{counts: Int32Array, from: Int32Array, to: Int32Array}} whole  where there are too many tasks to read:
 *   how many of each status by family, and edges between families; then there are no ids
 */

/** Reads a reply of graph_view. @returns {Tasks} */
export function tasksOfView({ ids, families, family, statuses, status, edges, total, complete, seconds, ...more }) {
  const numbers = statuses.map(statusNumber);
  return {
    ids,
    families,
    family: Int32Array.from(family),
    status: Uint8Array.from(status, (place) => numbers[place]),
    from: Int32Array.from({ length: edges.length / 2 }, (_, e) => edges[2 * e]),
    to: Int32Array.from({ length: edges.length / 2 }, (_, e) => edges[2 * e + 1]),
    more: Int32Array.from(ids, (_, v) => more.more_up[v] + more.more_down[v]),
    total,
    complete,
    seconds,
  };
}

/** Reads a reply of graph_view about families. @returns {Tasks} */
export function tasksOfFamilies({ families, counts, edges, total, seconds }) {
  const pairs = edges.flatMap((family, i) => (i % 2 || family === edges[i + 1] ? [] : [[family, edges[i + 1]]]));
  const matrix = new Int32Array(families.length * STATUS_NAMES.length);
  counts.forEach((own, f) => {
    for (const [name, n] of Object.entries(own)) matrix[f * STATUS_NAMES.length + statusNumber(name)] += n;
  });
  const whole = { counts: matrix, from: Int32Array.from(pairs, ([a]) => a), to: Int32Array.from(pairs, ([, b]) => b) };
  const none = new Int32Array(0);
  const nothing = { ids: [], family: none, status: none, from: none, to: none, more: none };
  return { ...nothing, families, total, complete: true, seconds, whole };
}

/** Whether two readings have the same tasks and edges, so that only colours may differ. */
export const sameShape = (a, b) =>
  a.ids.length === b.ids.length &&
  same(a.from, b.from) &&
  same(a.to, b.to) &&
  same(a.more, b.more) &&
  Boolean(a.whole) === Boolean(b.whole) &&
  (!a.whole || (same(a.families, b.families) && same(a.whole.from, b.whole.from) && same(a.whole.to, b.whole.to))) &&
  a.ids.every((id, v) => id === b.ids[v]);

const same = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);

/**
 * The longest chain of unfinished tasks that ends in the task asked for, or anywhere if that is done or nothing was
 * asked for: in the seconds that the families take as a rule; all the same where the daemon does not know any.
 * @returns {Int32Array} the tasks from its beginning to its end; empty if it is no chain
 */
export function criticalPath({ ids, family, status, from, to, seconds }, rooted) {
  const count = ids.length;
  const closing = closingEdges(count, from, to);
  const open = from
    .map((v, e) => (closing[e] || status[v] === DONE || status[to[e]] === DONE ? -1 : e))
    .filter((e) => e >= 0);
  const [lows, highs] = [open.map((e) => from[e]), open.map((e) => to[e])];
  const { start, other } = adjacency(count, highs, lows);
  const known = seconds.filter((each) => each !== null);
  const usual = known.length ? known.reduce((sum, each) => sum + each) / known.length : 1;
  const cost = (v) => (status[v] === DONE || status[v] === UNKNOWN ? 0 : (seconds[family[v]] ?? usual));
  const length = new Float64Array(count);
  const previous = new Int32Array(count).fill(-1);
  let last = 0;
  for (const v of topological(count, lows, highs)) {
    for (let k = start[v]; k < start[v + 1]; k += 1) {
      if (previous[v] < 0 || length[other[k]] > length[previous[v]]) previous[v] = other[k];
    }
    length[v] = cost(v) + (previous[v] < 0 ? 0 : length[previous[v]]);
    if (length[v] > length[last]) last = v;
  }
  if (rooted && count && start[1] > start[0]) last = 0;
  const path = [];
  for (let v = last; v >= 0 && count; v = previous[v]) path.push(v);
  return path.length > 1 ? Int32Array.from(path.reverse()) : new Int32Array(0);
}

/**
 * @typedef {Object} Shown  the nodes and edges of the picture: tasks, or families in place of theirs
 * @property {number} count
 * @property {Int32Array} task  of each node, the task it shows; -1 for a family
 * @property {Int32Array} family  of each node
 * @property {Int32Array} nodeOf  of each task, its node
 * @property {Int32Array} from  of each edge, as in Tasks
 * @property {Int32Array} to
 * @property {Uint8Array} cyclic  of each edge, 1 if a dependency it stands for closes a cycle of tasks
 * @property {Float32Array} size  height of each node
 */

/**
 * @param {Tasks} tasks
 * @param {boolean} grouped
 * @param {Set<string>} open  families that are shown task by task all the same
 * @returns {Shown}
 */
export function shownNodes(tasks, grouped, open) {
  const { ids, families, family, whole } = tasks;
  if (whole) return familiesAlone(whole, families.length);
  const members = new Int32Array(families.length);
  for (const f of family) members[f] += 1;
  const closed = families.map((name, f) => grouped && members[f] > 1 && !open.has(name));
  const nodeOfFamily = new Int32Array(families.length).fill(-1);
  const nodeOf = new Int32Array(ids.length);
  const task = [];
  ids.forEach((_, v) => {
    const f = family[v];
    if (closed[f] && nodeOfFamily[f] >= 0) nodeOf[v] = nodeOfFamily[f];
    else nodeOf[v] = task.push(closed[f] ? -1 : v) - 1;
    if (closed[f]) nodeOfFamily[f] = nodeOf[v];
  });
  const count = task.length;
  const ofNodes = new Int32Array(count);
  family.forEach((f, v) => (ofNodes[nodeOf[v]] = f));
  return {
    count,
    task: Int32Array.from(task),
    family: ofNodes,
    nodeOf,
    ...edgesBetween(tasks, nodeOf, count),
    size: Float32Array.from(task, (v) => (v < 0 ? GROUP_HEIGHT : TASK_HEIGHT)),
  };
}

const familiesAlone = ({ from, to }, count) => ({
  count,
  task: new Int32Array(count).fill(-1),
  family: Int32Array.from({ length: count }, (_, f) => f),
  nodeOf: new Int32Array(0),
  from,
  to,
  cyclic: new Uint8Array(from.length),
  size: new Float32Array(count).fill(GROUP_HEIGHT),
});

// Edges within a family in one node are told by the node itself; a task that depends on itself keeps its edge.
function edgesBetween({ ids, from, to }, nodeOf, count) {
  const closing = closingEdges(ids.length, from, to);
  const places = new Map();
  const cyclic = [];
  for (let e = 0; e < from.length; e += 1) {
    const [a, b] = [nodeOf[from[e]], nodeOf[to[e]]];
    if (a === b && from[e] !== to[e]) continue;
    const pair = a * count + b;
    if (!places.has(pair)) places.set(pair, cyclic.push(0) - 1);
    cyclic[places.get(pair)] |= closing[e];
  }
  const pairs = [...places.keys()];
  return {
    from: Int32Array.from(pairs, (pair) => Math.floor(pair / count)),
    to: Int32Array.from(pairs, (pair) => pair % count),
    cyclic: Uint8Array.from(cyclic),
  };
}

/** How many tasks of each status each node stands for: counts[node * STATUS_NAMES.length + status]. */
export function statusCounts({ count, nodeOf }, status) {
  const counts = new Int32Array(count * STATUS_NAMES.length);
  status.forEach((each, v) => (counts[nodeOf[v] * STATUS_NAMES.length + each] += 1));
  return counts;
}

/** The status of each node: a task's own, of a family the one that most wants a look. */
export function nodeStatuses(counts) {
  const worst = new Uint8Array(counts.length / STATUS_NAMES.length);
  counts.forEach((n, i) => {
    if (n) worst[Math.floor(i / STATUS_NAMES.length)] = i % STATUS_NAMES.length;
  });
  return worst;
}
