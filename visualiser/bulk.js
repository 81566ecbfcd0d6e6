// What is done with all tasks that the filters let through: changing them, after the number was shown, and copying them.

import { call } from "./api.js";
import { copy } from "./copy.js";
import { amount, clip, counted } from "./format.js";
import { ask, tell, warn } from "./notices.js";
import { wireFilters, wireOrder } from "./filters.js";
import { shownStatus } from "./task.js";

const MOST_COPIED = 10_000;
const PART = 1_000;
const FEW = 3;
const ID_LENGTH = 60;

const DEEDS = {
  forgive_failures: {
    question: (tasks) => `Forgive the failures of ${tasks}?`,
    yes: "Forgive",
    done: "forgiven",
    note: "They are pending again at once.",
  },
  re_enable_task: {
    question: (tasks) => `Re-enable ${tasks}?`,
    yes: "Re-enable",
    done: "re-enabled",
    note: "They are tried again.",
  },
  mark_as_done: {
    question: (tasks) => `Mark ${tasks} as done?`,
    yes: "Mark as done",
    done: "marked as done",
    note: "They count as complete, whatever their output looks like, and what depends on them may run.",
  },
};

/**
 * Changes all tasks that it applies to, after it has said how many these are.
 * @param store  see store.js
 * @param {string} action  a key of DEEDS
 * @param {Object} filters  see filters.js
 */
export async function apply(store, action, filters) {
  const { question, yes, done, note } = DEEDS[action];
  const wanted = { action, ...wireFilters(filters) };
  const trial = await call("bulk", { ...wanted, dry_run: true });
  if (!trial.eligible) {
    warn(`Nothing to do: of ${counted(trial.matched, "task")}, none can be ${done}.`);
    return;
  }
  const title = question(counted(trial.eligible, "task"));
  if (!(await ask({ title, detail: `${eligibleWords(trial)} ${note} This cannot be undone.`, yes }))) return;
  const { changed } = await call("bulk", { ...wanted, dry_run: false, expected: trial.eligible });
  tell(`${counted(changed, "task")} ${changed === 1 ? "is" : "are"} ${done}.`);
  await store.refresh();
}

function eligibleWords({ matched, eligible, ids }) {
  const few = ids
    .slice(0, FEW)
    .map((id) => clip(id, ID_LENGTH))
    .join(", ");
  const others = eligible > FEW ? ` and ${counted(eligible - FEW, "other")}` : "";
  return `Of ${counted(matched, "task")} shown, this changes ${amount(eligible)}: ${few}${others}.`;
}

/**
 * Puts the tasks on the clipboard.
 * @param {string} format  "JSON" or "CSV"
 * @param {Object} route  see router.js
 */
export async function copyAs(format, route) {
  const { rows, total } = await readAll(route);
  await copy(format === "CSV" ? toCsv(rows) : JSON.stringify(rows, null, 1));
  const left = total > rows.length ? ` These are the first of ${amount(total)}: more do not fit.` : "";
  tell(`${counted(rows.length, "task")} copied as ${format}.${left}`);
}

async function readAll(route) {
  const wanted = { ...wireFilters(route), sort: wireOrder(route) };
  const rows = [];
  let total = Infinity;
  while (rows.length < Math.min(total, MOST_COPIED)) {
    const reply = await call("tasks", { ...wanted, offset: rows.length, limit: PART });
    rows.push(...reply.rows);
    total = reply.rows.length ? reply.total : rows.length;
  }
  return { rows, total };
}

const FIELDS = {
  id: (task) => task.id,
  family: (task) => task.name,
  status: shownStatus,
  priority: (task) => task.priority,
  last_updated: (task) => isoTime(task.last_updated),
  time_running: (task) => isoTime(task.time_running),
  worker: (task) => task.worker_running,
  failures: (task) => task.failures,
};

const isoTime = (epoch) => (typeof epoch === "number" ? new Date(epoch * 1000).toISOString() : "");

/** Tasks as CSV: the fields above, then a column for each parameter that any of them has. */
export function toCsv(tasks) {
  const names = [...new Set(tasks.flatMap(({ params }) => Object.keys(params ?? {})))].sort();
  const head = [...Object.keys(FIELDS), ...names.map((name) => `param.${name}`)];
  const lines = tasks.map((task) => [
    ...Object.values(FIELDS).map((of) => of(task)),
    ...names.map((name) => (Object.hasOwn(task.params ?? {}, name) ? task.params[name] : "")),
  ]);
  return [head, ...lines].map((cells) => cells.map(csvCell).join(",")).join("\r\n");
}

// What begins like a formula would be run as one by a spreadsheet; an apostrophe makes it text there.
function csvCell(value) {
  const words = value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(words) && !Number.isFinite(Number(words)) ? `'${words}` : words;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
