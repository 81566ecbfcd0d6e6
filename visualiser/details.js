// The panel of one task: what it is, why it is not running, how it fares, what went wrong, what it waits for, and what a
// person can do about it.

import { callButton } from "./actions.js";
import { call, lookup } from "./api.js";
import { offerCopy } from "./copy.js";
import { attribute, bar, button, el, failureNote, list, show, text, timeElement } from "./dom.js";
import { errorPart } from "./error.js";
import { explanationPart } from "./explain.js";
import {
  amount,
  clip,
  counted,
  duration,
  exact,
  plain,
  resourceNeeds,
  taskName,
  webAddress,
  workerName,
} from "./format.js";
import { conversationPart } from "./messages.js";
import { go, link } from "./router.js";
import { running, shownStatus, since, statusBadge, taskLines } from "./task.js";
import { usualPart } from "./usual.js";

const LONGEST = 20_000;
const FAMILY_LENGTH = 300;

// What mark_as_done has an effect on.
const FORCIBLE = ["FAILED", "DISABLED", "RUNNING"];

/** @param context  see app.js */
export function detailsPanel(context) {
  const facts = lookup(readTask, context.update);
  const parts = [
    headPart(),
    actionsPart(context),
    progressPart(),
    usualPart(context),
    explanationPart(context),
    errorPart(context),
    conversationPart(context),
    neighboursPart("Depends on ", "deps", (n, done) => `${amount(done)} of ${amount(n)} done`),
    neighboursPart("Needed by ", "dependents", (n) => counted(n, "task")),
    factsPart(),
    parametersPart(),
  ];
  const trouble = failureNote(facts);
  const absent = el("p", { class: "empty" }, "The daemon does not know this task, or no longer does.");
  const body = el("div", { class: "panel-body" }, ...parts.map(({ node }) => node));
  const shut = { class: "button quiet close", "aria-label": "Close the details" };
  const close = button("×", () => go({ task: "" }), shut);
  return {
    node: el("div", { class: "details" }, close, body, el("div", { class: "absent" }, trouble.node, absent)),
    /** @param {{task: string}} route  task: its id */
    update({ task: id }) {
      facts.update(id, context.store.revision);
      const task = facts.value?.task;
      trouble.update();
      show(body, task);
      show(absent, facts.value && !task);
      if (task) for (const part of parts) part.update(task);
    },
  };
}

const readTask = async (id, signal) => ({ task: await call("task", { task_id: id }, signal) });

function headPart() {
  const badge = statusBadge();
  const time = timeElement();
  const name = el("h2");
  const id = el("code");
  const copyId = offerCopy("Copy", "The task id", { "aria-label": "Copy the task id" });
  const state = el("p", {}, badge.node, el("span", { class: "muted" }, "· ", time.node));
  return {
    node: el("header", {}, state, name, el("p", { class: "task-id" }, id, copyId.node)),
    update(task) {
      badge.update(shownStatus(task));
      time.update(since(task));
      text(name, clip(taskName(task), FAMILY_LENGTH));
      text(id, clip(task.id, LONGEST));
      copyId.update(task.id);
    },
  };
}

function actionsPart({ store, actions }) {
  const main = { class: "button primary" };
  const forgive = callButton(store, "forgive_failures", "Forgive failure", actions.forgive, main);
  const reEnable = callButton(store, "re_enable_task", "Re-enable", actions.reEnable, main);
  const markDone = callButton(store, "mark_as_done", "Mark as done…", actions.markDone);
  const graph = el("a", { class: "button" }, "Graph");
  const outside = { class: "button", target: "_blank", rel: "noopener noreferrer" };
  const tracking = el("a", outside, "Tracking page ↗");
  const history = el("a", { class: "button" }, "History");
  return {
    node: el("div", { class: "actions" }, forgive.node, reEnable.node, markDone.node, graph, tracking, history),
    update(task) {
      forgive.update(task.status === "FAILED" && task);
      reEnable.update(task.status === "DISABLED" && task.re_enable_able && task);
      markDone.update(FORCIBLE.includes(task.status) && task);
      attribute(graph, "href", link({ tab: "graph", graph: { taskId: task.id } }));
      const address = webAddress(task.tracking_url);
      show(tracking, address);
      attribute(tracking, "href", address);
      show(history, store.overview?.features.history);
      attribute(history, "href", link({ tab: "history", history: { of: task.id, run: "" } }));
    },
  };
}

function progressPart() {
  const words = el("span");
  const filled = bar("Progress");
  const progress = el("div", { class: "load" }, words, filled.node);
  const message = el("pre", { class: "message", tabindex: "0", "aria-label": "Status message" });
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

// The tasks next to this one in the graph: the first of them, those that need a look before the others.
function neighboursPart(title, of, summed) {
  const summary = el("span", { class: "muted" });
  const lines = taskLines({ few: 8, most: 200 });
  return {
    node: el("section", {}, el("h3", {}, title, summary), lines.node),
    update(task) {
      const total = task[`${of}_total`];
      text(summary, total ? summed(total, task[`${of}_done`]) : "nothing");
      lines.update(
        task[of].map((each) => ({ task: { ...each, name: each.family }, note: "" })),
        total,
      );
    },
  };
}

const FACTS = {
  Priority: (task) => amount(task.priority),
  "Running on": (task) => running(task) && task.worker_running && workerName({ name: task.worker_running }),
  "Can be run by": (task) => !running(task) && task.status !== "DONE" && workerNames(task.workers),
  Resources: (task) => resourceNeeds(task.resources_running ?? task.resources),
  Batch: (task) => task.batch_id,
  Module: (task) => task.module,
  "In this status since": (task) => moment(since(task)),
  "Last change": (task) => running(task) && moment(task.last_updated),
  "First announced": (task) => moment(task.start_time),
  Failures: (task) => task.failures && failureWords(task),
  "Disabled until": (task) => moment(task.disabled_until),
  "Tried again": (task) => moment(task.retry),
  Forgotten: (task) => moment(task.removed_at),
  "Tracking address": (task) => !webAddress(task.tracking_url) && task.tracking_url,
};

// Stock's retry_count where nobody set one.
const NO_LIMIT = 999_999_999;

const workerNames = (names) => names.map((name) => workerName({ name })).join(", ") || "no worker that is alive";
const moment = (epoch) => (Number.isFinite(epoch) ? exact(epoch) : "");

function failureWords({ failures, retry_policy: { retry_count: most, disable_window: window } }) {
  const limited = most && most < NO_LIMIT;
  return limited ? `${amount(failures)} in ${duration(window)}; disabled at ${amount(most)}` : amount(failures);
}

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
