// The panel of one task: what it is, how it fares, what it waits for, what went wrong, and what a person can do about
// it.

import { call } from "./api.js";
import { attribute, bar, button, copy, el, list, show, text, timeElement } from "./dom.js";
import { amount, clip, command, exact, plain, resourceNeeds, taskName, webAddress, workerName } from "./format.js";
import { lookup, version } from "./lookup.js";
import { tell, warn } from "./notices.js";
import { running, since } from "./query.js";
import { go } from "./router.js";
import { rank, statusBadge } from "./status.js";
import { taskLines } from "./taskline.js";

const LONGEST = 20_000;
const FAMILY_LENGTH = 300;
const FEW_LINES = { few: 8, most: 200 };

// What mark_as_done has an effect on.
const FORCIBLE = ["FAILED", "DISABLED", "RUNNING"];

/**
 * @param store  see store.js
 * @param actions  see actions.js
 * @param {function()} changed  called when more is known about the task than before
 */
export function detailsPanel(store, actions, changed) {
  const graph = lookup((id) => call("dep_graph", { task_id: id }), changed);
  const parts = [
    headPart(),
    actionsPart(actions),
    progressPart(),
    errorPart(changed),
    dependenciesPart(store, graph),
    dependentsPart(store, changed),
    factsPart(),
    parametersPart(),
  ];
  const absent = el("p", { class: "empty" });
  const body = el("div", { class: "panel-body" }, ...parts.map(({ node }) => node));
  const shut = { class: "button quiet close", "aria-label": "Close the details" };
  const close = button("×", () => go({ task: "" }), shut);
  return {
    node: el("div", {}, close, body, absent),
    /** @param {string} id  of the task */
    update(id) {
      const listed = store.tasks.get(id);
      graph.update(id, listed && version(listed));
      const task = listed ?? member(graph.value, id);
      show(body, task);
      show(absent, !task);
      if (task) for (const part of parts) part.update(task);
      else text(absent, absence(graph));
    },
  };
}

// A task of a reply of dep_graph or inverse_dep_graph.
function member(graph, id) {
  return graph && Object.hasOwn(graph, id) ? { ...graph[id], id } : undefined;
}

function absence({ value, error }) {
  if (error) return `The task could not be read: ${error.message}.`;
  return value ? "The daemon does not know this task, or no longer does." : "Reading the task";
}

function headPart() {
  const badge = statusBadge();
  const time = timeElement();
  const name = el("h2");
  const id = el("code");
  const copyId = button("Copy", null, { class: "button quiet small", "aria-label": "Copy the task id" });
  const state = el("p", {}, badge.node, el("span", { class: "muted" }, "· ", time.node));
  return {
    node: el("header", {}, state, name, el("p", { class: "task-id" }, id, copyId)),
    update(task) {
      badge.update(task.shown ?? task.status);
      time.update(since(task));
      text(name, clip(taskName(task), FAMILY_LENGTH));
      text(id, clip(task.id, LONGEST));
      copyId.onclick = () => copied("The task id", task.id);
    },
  };
}

async function copied(what, content) {
  try {
    await copy(content);
    tell(`${what} is copied.`);
  } catch (error) {
    warn(`${what} could not be copied: ${error.message}.`);
  }
}

function actionsPart(actions) {
  const choices = [
    actionButton("Forgive failure", "button primary", actions.forgive, ({ status }) => status === "FAILED"),
    actionButton(
      "Re-enable",
      "button primary",
      actions.reEnable,
      (task) => task.status === "DISABLED" && task.re_enable_able,
    ),
    actionButton("Mark as done…", "button", actions.markDone, ({ status }) => FORCIBLE.includes(status)),
  ];
  const tracking = el("a", { class: "button", target: "_blank", rel: "noopener noreferrer" }, "Tracking page ↗");
  return {
    node: el("div", { class: "actions" }, ...choices.map(({ node }) => node), tracking),
    update(task) {
      for (const choice of choices) choice.update(task);
      const address = webAddress(task.tracking_url);
      show(tracking, address);
      attribute(tracking, "href", address);
    },
  };
}

function actionButton(words, classes, deed, applies) {
  const node = button(words, null, { class: classes });
  return {
    node,
    update(task) {
      show(node, applies(task));
      node.onclick = async () => {
        attribute(node, "disabled", true);
        await deed(task);
        attribute(node, "disabled", false);
      };
    },
  };
}

function progressPart() {
  const words = el("span");
  const filled = bar("Progress");
  const progress = el("div", { class: "load" }, words, filled.node);
  const message = el("pre", { class: "message" });
  const node = el("section", {}, el("h3", {}, "Progress"), progress, message);
  return {
    node,
    update({ progress_percentage: done, status_message: said }) {
      const measured = typeof done === "number";
      show(node, measured || said);
      show(progress, measured);
      show(message, said);
      text(words, measured ? `${amount(done)} %` : "");
      if (measured) filled.update(done, 100);
      text(message, clip(plain(said ?? ""), LONGEST));
    },
  };
}

function errorPart(changed) {
  const error = lookup((id) => call("fetch_error", { task_id: id }), changed);
  const trace = el("pre", { class: "trace", tabindex: "0", "aria-label": "Error" });
  const again = el("pre", { class: "command", tabindex: "0", "aria-label": "Command to run it again" });
  const copyTrace = button("Copy error", null, { class: "button quiet small" });
  const copyCommand = button("Copy command", null, { class: "button quiet small" });
  const found = el("div", {}, trace, el("h3", {}, "Run it again", copyCommand), again);
  const node = el("section", {}, el("h3", {}, "Error", copyTrace), found);
  const trouble = failureNote(error);
  node.append(trouble.node);
  return {
    node,
    update(task) {
      const wrong = task.status === "FAILED" || task.status === "DISABLED";
      show(node, wrong);
      if (!wrong) return;
      error.update(task.id, version(task));
      trouble.update();
      show(found, error.value);
      show(copyTrace, error.value);
      if (error.value) showError(error.value);
    },
  };

  function showError(reply) {
    const words = explanation(reply.error);
    text(trace, clip(words, LONGEST));
    text(again, clip(command(reply), LONGEST));
    copyTrace.onclick = () => copied("The error", words);
    copyCommand.onclick = () => copied("The command", command(reply));
  }
}

// Workers send the text of an error as JSON; whatever else it is, it is shown as it stands.
function explanation(error) {
  if (!error) return "The worker gave no explanation.";
  try {
    return plain(JSON.parse(error)).trimEnd();
  } catch {
    return plain(error);
  }
}

// Says that a lookup is under way, or why it failed, with the means to try again.
function failureNote(facts) {
  const words = el("span");
  const retry = button("Try again", facts.retry, { class: "button small" });
  const node = el("p", { class: "muted" }, words, " ", retry);
  return {
    node,
    update() {
      show(node, !facts.value);
      show(retry, facts.error);
      text(words, facts.error ? `Could not be read: ${facts.error.message}.` : "Reading");
    },
  };
}

function dependenciesPart(store, graph) {
  const summary = el("span", { class: "muted" });
  const lines = taskLines(FEW_LINES);
  const trouble = failureNote(graph);
  return {
    node: el("section", {}, el("h3", {}, "Depends on ", summary), lines.node, trouble.node),
    update(task) {
      const needed = neighbours(graph.value, task.id, store);
      trouble.update();
      text(summary, graph.value ? doneWords(needed) : "");
      lines.update(needed.map((each) => ({ task: each, note: "" })));
    },
  };
}

function doneWords(tasks) {
  if (!tasks.length) return "nothing";
  return `${amount(tasks.filter(({ status }) => status === "DONE").length)} of ${amount(tasks.length)} done`;
}

// What a graph lists as the task's direct dependencies, those that need a look first. The store's word on a status is
// newer.
function neighbours(graph, id, store) {
  const ids = member(graph, id)?.deps ?? [];
  const found = ids.map((other) => store.tasks.get(other) ?? member(graph, other) ?? { id: other, status: "UNKNOWN" });
  return found.sort((a, b) => rank(a.shown ?? a.status) - rank(b.shown ?? b.status) || (a.id < b.id ? -1 : 1));
}

// Read only when it is opened: to find the dependents costs the daemon a look at every task.
function dependentsPart(store, changed) {
  const graph = lookup((id) => call("inverse_dep_graph", { task_id: id }), changed);
  const lines = taskLines(FEW_LINES);
  const trouble = failureNote(graph);
  const none = el("p", { class: "muted" }, "Nothing depends on it.");
  const node = el("details", { ontoggle: changed }, el("summary", {}, "Needed by"), lines.node, none, trouble.node);
  return {
    node,
    update(task) {
      if (!node.open) return;
      graph.update(task.id, version(task));
      const waiting = neighbours(graph.value, task.id, store);
      trouble.update();
      show(none, graph.value && !waiting.length);
      lines.update(waiting.map((each) => ({ task: each, note: "" })));
    },
  };
}

const FACTS = {
  Priority: (task) => amount(task.priority),
  "Running on": (task) => running(task) && task.worker_running && workerName({ name: task.worker_running }),
  "Can be run by": (task) => !running(task) && task.status !== "DONE" && workerNames(task.workers),
  Resources: (task) => resourceNeeds(task.resources_running ?? task.resources),
  "In this status since": (task) => moment(since(task)),
  "Last change": (task) => running(task) && moment(task.last_updated),
  "First announced": (task) => moment(task.start_time),
  "Tracking address": (task) => !webAddress(task.tracking_url) && task.tracking_url,
};

const workerNames = (names) => names.map((name) => workerName({ name })).join(", ") || "no worker that is alive";
const moment = (epoch) => (Number.isFinite(epoch) ? exact(epoch) : "");

function factsPart() {
  const facts = definitions();
  return {
    node: el("section", {}, el("h3", {}, "Facts"), facts.node),
    update(task) {
      const entries = Object.entries(FACTS).map(([name, of]) => [name, of(task)]);
      facts.update(entries.filter(([, value]) => value));
    },
  };
}

function parametersPart() {
  const facts = definitions();
  const node = el("section", {}, el("h3", {}, "Parameters"), facts.node);
  return {
    node,
    update(task) {
      const entries = Object.entries(task.params ?? {});
      show(node, entries.length);
      facts.update(entries.map(([name, value]) => [name, plain(value)]));
    },
  };
}

// Names and what they stand for.
function definitions() {
  const node = el("dl", { class: "facts" });
  const definition = ([name]) => {
    const value = el("dd");
    const node = el("div", {}, el("dt", {}, clip(name, FAMILY_LENGTH)), value);
    return { node, update: ([, words]) => text(value, clip(plain(words), LONGEST)) };
  };
  return { node, update: (entries) => list(node, entries, ([name]) => name, definition) };
}
