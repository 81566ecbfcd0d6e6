// What the page's thread and the worker both need to know about nodes: names, numbers and sizes.

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
