// What the page's thread and the worker both need to know: names, numbers and sizes of nodes, and what an address asks
// for.

/** The statuses as numbers: places in this list, in which the one that most wants a look comes last. */
export const STATUS_NAMES = [
  "DONE",
  "PENDING",
  "UNKNOWN",
  "UPSTREAM_MISSING_INPUT",
  "UPSTREAM_DISABLED",
  "UPSTREAM_FAILED",
  "RUNNING",
  "BATCH_RUNNING",
  "DISABLED",
  "FAILED",
];

/** Sizes in px at a zoom of 1. */
export const NODE_WIDTH = 190;
export const TASK_HEIGHT = 36;
export const GROUP_HEIGHT = 54;

// The family of what nobody has announced.
const NOBODY = "UNKNOWN";

/** What a node is called: its family, and of a task what its id says beside that (the first parameters, no hash). */
export function nameOf({ families, family, ids, task }, v) {
  const name = families[family[v]];
  if (task[v] < 0) return [name, ""];
  const id = ids[task[v]];
  if (name === NOBODY) return [id, ""];
  if (!id.startsWith(`${name}_`)) return [name, id === name ? "" : id];
  return [name, id.slice(name.length + 1).replace(/_?[0-9a-f]{10}$/, "")];
}

/** How many tasks of each status a node of a scene stands for, by number of the status. */
export const countsOf = ({ counts }, v) => counts.subarray(v * STATUS_NAMES.length, (v + 1) * STATUS_NAMES.length);

/** How many tasks a node stands for. */
export const sizeOf = (scene, v) => countsOf(scene, v).reduce((sum, n) => sum + n, 0);

// ---- what an address asks for ----

/** Whether a flag of the address is on. */
export const isSet = (flag) => flag === "1" || flag === "true";

/** The names in a JSON list of the address. */
export function namesIn(json) {
  try {
    const names = JSON.parse(json || "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

/** What to ask the daemon, as the worker takes it. `graph`: that of the route. */
export function questionOf({ taskId, hideDone, invert, both, steps }) {
  const far = /^[1-9]\d{0,3}$/.test(steps) ? Number(steps) : -1;
  const isDown = isSet(invert) && !isSet(both);
  return { root: taskId, up: isDown ? 0 : far, down: isDown || isSet(both) ? far : 0, hideDone: isSet(hideDone) };
}

/** How to arrange it. */
export const arrangementOf = ({ group, open }) => ({
  grouped: group === "" ? null : isSet(group),
  open: namesIn(open),
});

/** What the worker is to read, and how to arrange it. */
export const askedBy = (graph) => ({ question: questionOf(graph), arrangement: arrangementOf(graph) });

/** The same for the part of an address from '#' on. The worker does without the router, which takes time to fetch. */
export function askedIn(hash) {
  const query = new URLSearchParams(hash.slice(1));
  const names = ["taskId", "hideDone", "invert", "both", "steps", "group", "open"];
  return askedBy(Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])));
}
