// The workers: who they are, what they run, how much waits for them, and the means to stop or resize them.

import { callButton } from "./actions.js";
import { call, lookup, now } from "./api.js";
import { attribute, bar, el, failureNote, list, show, text, timeElement } from "./dom.js";
import { amount, clip, duration, workerName } from "./format.js";
import { pageOf, pager } from "./table.js";
import { go, link } from "./router.js";
import { stepper } from "./stepper.js";
import { since, taskLines } from "./task.js";
import { lateRuns } from "./usual.js";

const PER_PAGE = 30;
const NAME_LENGTH = 120;
const FIGURES = [
  { name: "num_pending", title: "Pending", hint: "Pending tasks that this worker may run" },
  { name: "num_uniques", title: "Only here", hint: "Pending tasks that no other worker may run" },
  { name: "num_unread_rpc_messages", title: "Unread", hint: "Messages that the worker has not read yet" },
];

/** @param context  see app.js */
export function workersView(context) {
  const workers = lookup((_, signal) => call("worker_list", {}, signal), context.update, { keep: true });
  const late = lateRuns(context);
  const reading = failureNote(workers);
  const cards = el("div", { class: "cards" });
  const nothing = el(
    "p",
    { class: "empty" },
    "No worker is connected. One that is not heard from for the worker_disconnect_delay is dropped.",
  );
  const pages = pager((page) => go({ page }));
  return {
    node: el("section", { "aria-label": "Workers" }, reading.node, cards, nothing, pages.node),
    update(route) {
      workers.update(null, context.store.revision);
      late.update();
      reading.update();
      const page = pageOf(workers.value ?? [], route.page, PER_PAGE);
      list(
        cards,
        page.items,
        ({ name }) => name,
        (worker) => card(worker, late, context),
      );
      show(nothing, workers.value?.length === 0);
      pages.update(page);
    },
  };
}

function card(worker, late, context) {
  const head = header(worker);
  const load = loadBar();
  const figures = FIGURES.map(figure);
  const tasks = taskLines({ few: 6, most: 100 });
  const resize = controls(worker, context);
  const node = el(
    "article",
    { class: "card worker-card" },
    head.node,
    load.node,
    el("dl", { class: "figures" }, ...figures.map((each) => each.node)),
    tasks.node,
    resize.node,
  );
  return {
    node,
    update(facts) {
      node.classList.toggle("off", facts.state === "disabled");
      for (const part of [head, load, resize, ...figures]) part.update(facts);
      const running = Object.entries(facts.running ?? {});
      tasks.update(running.map(([id, task]) => runningNote({ ...task, id }, late.has(id))));
    },
  };
}

function runningNote(task, late) {
  const progress = typeof task.progress_percentage === "number" ? `${task.progress_percentage} %, ` : "";
  return { task, note: `${late ? "⚠ longer than usual, " : ""}${progress}${duration(now() - since(task))}` };
}

function header(worker) {
  const state = el("span", { class: "tag" });
  const owner = el("span", { class: "muted" });
  const started = timeElement();
  const heard = timeElement();
  const times = el("p", { class: "muted" }, owner, "started ", started.node, ", heard from ", heard.node);
  const title = el("h2", { title: clip(worker.name, 1000) }, clip(workerName(worker), NAME_LENGTH));
  return {
    node: el("header", {}, title, state, times),
    update(facts) {
      text(state, `${facts.state}${facts.assistant ? ", assistant" : ""}`);
      attribute(state, "data-state", facts.state);
      text(owner, facts.username ? `${clip(String(facts.username), NAME_LENGTH)}, ` : "");
      started.update(facts.started);
      heard.update(facts.last_active);
    },
  };
}

function loadBar() {
  const filled = bar("Processes in use");
  const words = el("span", {});
  return {
    node: el("div", { class: "load" }, words, filled.node),
    update({ num_running: busy = 0, workers: processes }) {
      text(
        words,
        processes === undefined ? `${amount(busy)} running` : `${amount(busy)} of ${amount(processes)} processes busy`,
      );
      filled.update(busy, processes ?? busy);
    },
  };
}

function figure({ name, title, hint }) {
  const value = el("dd");
  return {
    node: el("div", { title: hint }, el("dt", {}, title), value),
    update(facts) {
      text(value, amount(facts[name] ?? 0));
      value.classList.toggle("none", !facts[name]);
    },
  };
}

function controls(worker, { store, actions }) {
  const name = clip(workerName(worker), NAME_LENGTH);
  const processes = stepper(store, {
    label: `processes of ${name}`,
    least: 1,
    method: "set_worker_processes",
    set: (n, before) => actions.setProcesses(worker, n, before),
  });
  const disable = callButton(store, "disable_worker", "Disable…", actions.disableWorker, {
    "aria-label": `Disable ${name}`,
  });
  const tasks = el("a", { class: "button", "aria-label": `Tasks of ${name}` }, "Its tasks");
  const resize = el("span", { class: "resize" }, el("span", { class: "muted" }, "Processes"), processes.node);
  return {
    node: el("footer", {}, resize, tasks, disable.node),
    update(facts) {
      attribute(tasks, "href", link({ tab: "tasks", worker: worker.name, page: 1 }));
      show(resize, facts.state !== "disabled");
      disable.update(facts.state !== "disabled" && worker);
      processes.update(facts.workers ?? 1);
    },
  };
}
