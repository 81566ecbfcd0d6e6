// How long a task should take, as the history has it: when it is expected to end, and whether it is late.

import { ask, lookup, now } from "./api.js";
import { el, show, text, timeElement } from "./dom.js";
import { clip, counted, duration, took } from "./format.js";
import { link } from "./router.js";
import { running } from "./task.js";

const FAMILY_LENGTH = 120;

// Seconds after which it is asked again although nothing has changed: being late comes with time alone.
const AGAIN_S = 20;

const moment = (store) => `${store.revision} ${Math.floor(now() / AGAIN_S)}`;

/** @param context  see app.js */
export function usualPart({ store, update }) {
  const facts = lookup(({ id, runs }, signal) => (runs ? readRunning(id, signal) : readFinish(id, signal)), update, {
    keep: true,
  });
  const words = el("span");
  const finish = timeElement();
  const expected = el("p", {}, "Expected to finish ", finish.node, words);
  const late = el("p", { class: "late" });
  const family = el("a", { class: "text-link" });
  const usual = el("p", { class: "muted" }, family);
  const node = el("section", {}, el("h3", {}, "How long it takes"), late, expected, usual);
  return {
    node,
    update(task) {
      const open = store.overview?.features.history && task.status !== "DONE";
      if (open) facts.update({ id: task.id, runs: running(task) }, moment(store));
      const known = open && facts.answered?.id === task.id ? facts.value : null;
      show(node, known && (known.finish || known.usual));
      if (!known) return;
      show(expected, known.finish && !known.slow);
      finish.update(known.finish);
      text(words, known.left > 1 ? `, with ${counted(known.left, "task")} to go` : "");
      show(late, known.slow);
      text(late, `⚠ Longer than usual: for ${duration(now() - known.started)}, ${took(known.usual)} would be usual.`);
      show(usual, known.usual);
      const page = { tab: "history", family: task.name, history: { part: "family", run: "", of: "", after: "" } };
      family.href = link(page);
      text(family, `${clip(task.name, FAMILY_LENGTH)} usually takes ${known.usual ? took(known.usual) : ""}`);
    },
  };
}

/**
 * Which of the running tasks take longer than usual, for views that list what runs; none where no history is recorded.
 * @param context  see app.js
 */
export function lateRuns({ store, update }) {
  const facts = lookup((_, signal) => readLate(signal), update, { keep: true });
  return {
    update() {
      if (store.overview?.features.history) facts.update(null, moment(store));
    },
    has: (id) => facts.value?.has(id) ?? false,
  };
}

async function readLate(signal) {
  const { rows } = await ask("history/expectations", {}, signal);
  return new Set(rows.filter(({ slow }) => slow).map(({ task_id: id }) => id));
}

async function readRunning(id, signal) {
  const { rows } = await ask("history/expectations", {}, signal);
  const row = rows.find(({ task_id: other }) => other === id);
  if (!row || row.expected === null) return {};
  return { usual: row.expected, slow: row.slow, started: row.started, finish: now() + row.remaining, left: 1 };
}

async function readFinish(id, signal) {
  const { rows } = await ask("history/expected_finish", { task_id: id }, signal);
  return { finish: rows[0]?.finish, left: rows[0]?.remaining_tasks };
}
