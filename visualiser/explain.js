// Why is this not running? What the daemon finds in the way of a task, each with the tasks that stand there and the
// buttons that help.

import { callButton } from "./actions.js";
import { call, lookup, now } from "./api.js";
import { attribute, el, failureNote, fill, list, show, text } from "./dom.js";
import { amount, clip, duration, plain, workerName } from "./format.js";
import { taskLines } from "./task.js";

const WORDS_LENGTH = 500;
const NAME_LENGTH = 120;
const FEW = { few: 5, most: 100 };

const TITLES = {
  __proto__: null,
  RUNNING: "What it is doing",
  BATCH_RUNNING: "What it is doing",
  DONE: "Why it is not run again",
};

/** @param context  see app.js */
export function explanationPart(context) {
  const reasons = lookup(({ id }, signal) => call("explain", { task_id: id }, signal), context.update);
  const title = el("h3");
  const headline = el("p", { class: "headline" });
  const causes = el("ol", { class: "causes" });
  const reading = failureNote(reasons);
  const about = { class: "explanation", "aria-label": "Explanation" };
  const node = el("section", about, title, headline, causes, reading.node);
  return {
    node,
    update(task) {
      reasons.update({ id: task.id, status: task.status }, context.store.revision);
      reading.update();
      text(title, TITLES[task.status] ?? "Why is this not running?");
      const found = reasons.value ?? { headline: "", causes: [] };
      attribute(node, "data-calm", task.status in TITLES ? "" : null);
      const ids = found.causes.flatMap(workersIn);
      show(headline, found.headline);
      text(headline, clip(shortened(found.headline, ids), WORDS_LENGTH));
      list(
        causes,
        found.causes.map((facts, place) => ({ facts, place, headline: found.headline, id: task.id })),
        ({ facts, place }) => `${facts.kind} ${place}`,
        () => cause(context),
      );
    },
  };
}

function cause(context) {
  const words = el("p");
  const deeds = el("div", { class: "actions" });
  const tasks = taskLines(FEW);
  const workers = el("ul", { class: "lines" });
  const node = el("li", {}, words, deeds, tasks.node, workers);
  let drawn = null;
  return {
    node,
    update({ facts, headline, id }) {
      const ids = workersIn(facts);
      show(words, facts.text !== headline);
      text(words, clip(shortened(facts.text, ids), WORDS_LENGTH));
      tasks.update(tasksIn(facts), facts.tasks_total);
      list(workers, facts.workers ?? [], (worker) => worker.id, workerLine);
      // What can be done to the task itself stands above all this.
      const others = facts.actions.filter((action) => action.arguments.task_id !== id);
      if (JSON.stringify(others) === drawn) return; // a button being pressed stays
      drawn = JSON.stringify(others);
      fill(deeds, ...others.map((action) => deedButton(context, action, ids)));
    },
  };
}

function deedButton({ store, actions }, action, ids) {
  const label = clip(shortened(action.label, ids), NAME_LENGTH);
  const press = callButton(store, action.call, label, () => actions.perform({ ...action, label }), SMALL);
  press.update();
  return press.node;
}

const SMALL = { class: "button small" };

// The tasks that a cause names; of those that hold a resource, how much.
function tasksIn({ tasks, holders = [] }) {
  const taken = new Map(holders.map((holder) => [holder.id, holder]));
  return tasks.map((task) => ({
    task: { ...task, name: task.family },
    note: taken.has(task.id) ? holderWords(taken.get(task.id)) : "",
  }));
}

const holderWords = ({ amount: taken, since }) =>
  `takes ${amount(taken)}${typeof since === "number" ? `, ${duration(now() - since)}` : ""}`;

const workersIn = ({ worker, workers = [], disabled = [] }) =>
  [worker, ...workers.map(({ id }) => id), ...disabled].filter(Boolean);

// Sentences of the daemon name workers by their ids, which are long.
const shortened = (words, ids) => ids.reduce((said, id) => said.replaceAll(id, workerName({ name: id })), words);

function workerLine() {
  const name = el("span");
  const note = el("span", { class: "muted note" });
  return {
    node: el("li", {}, name, note),
    update({ id, host, running, processes }) {
      text(name, clip(workerName({ name: id, host: host ?? undefined }), NAME_LENGTH));
      text(note, `${plain(running)} of ${plain(processes)} busy`);
    },
  };
}
