// The tasks: how many there are of each status and family, and a table of those asked for, page by page.

import { attribute, bar, el, list, show, text, timeElement } from "./dom.js";
import { familyList } from "./families.js";
import { filterBar } from "./filters.js";
import { amount, clip, counted, workerName } from "./format.js";
import { pageOf, pager } from "./pager.js";
import { byFamily, comparison, matcher, running, since } from "./query.js";
import { go } from "./router.js";
import { label, statusBadge } from "./status.js";
import { taskLink } from "./taskline.js";
import { statusTiles } from "./tiles.js";

const COLUMNS = [
  { name: "status", title: "Status" },
  { name: "task", title: "Task" },
  { name: "priority", title: "Priority", falls: true },
  { name: "since", title: "Since", falls: true },
  { name: "worker", title: "Worker" },
];
const WORKER_LENGTH = 80;

/** @param store  see store.js */
export function tasksView(store) {
  const tiles = statusTiles();
  const tooMany = el("p", { class: "hint" });
  const sidebar = familyList();
  const filters = filterBar();
  const table = taskTable();
  const nothing = emptyNote();
  const pages = pager(turnTo);
  const rows = el(
    "section",
    { class: "card rows", "aria-label": "Tasks" },
    filters.node,
    table.node,
    nothing.node,
    pages.node,
  );

  return {
    node: el("div", { class: "tasks" }, tiles.node, tooMany, el("div", { class: "columns" }, sidebar.node, rows)),
    update(route) {
      const { tasks, families } = select([...store.tasks.values()], route);
      const page = pageOf(tasks, route.page, route.length);
      tiles.update(store.counts, route.statuses);
      show(tooMany, store.unlisted.length > 0);
      text(tooMany, tooManyWords(store));
      sidebar.update(families, route.family);
      filters.update(route, tasks.length);
      table.update(page.items, route);
      nothing.update(tasks.length, store);
      pages.update(page);
    },
  };
}

function turnTo(page) {
  go({ page });
  scrollTo(0, 0);
}

// The families are those of the tasks of any family: choosing one must not hide the others.
function select(tasks, route) {
  const ofAnyFamily = tasks.filter(matcher({ ...route, family: "" }));
  const chosen = route.family ? ofAnyFamily.filter(matcher(route)) : ofAnyFamily;
  return { families: byFamily(ofAnyFamily), tasks: chosen.sort(comparison(route)) };
}

function tooManyWords({ unlisted, counts }) {
  const names = unlisted.map((status) => `${amount(counts.get(status))} ${label(status).toLowerCase()}`).join(", ");
  return (
    `Too many tasks to list them all: ${names}. These are counted above but not in the table; ` +
    "words in the filter box are looked for on the daemon, which finds them all the same."
  );
}

function taskTable() {
  const headings = COLUMNS.map(heading);
  const body = el("tbody");
  const head = el("thead", {}, el("tr", {}, ...headings.map(({ node }) => node)));
  const node = el(
    "table",
    { class: "task-table", onkeydown: moveFocus },
    el("caption", { class: "offscreen" }, "Tasks"),
    head,
    body,
  );
  return {
    node,
    update(tasks, route) {
      show(node, tasks.length > 0);
      for (const { update } of headings) update(route);
      list(
        body,
        tasks.map((task) => ({ task, chosen: task.id === route.task })),
        ({ task }) => task.id,
        row,
      );
    },
  };
}

function heading({ name, title, falls = false }) {
  const button = el("button", { type: "button" }, title);
  const node = el("th", { scope: "col", class: `${name}-column` }, button);
  return {
    node,
    update({ sort, descending }) {
      const sorted = sort === name;
      attribute(node, "aria-sort", sorted && (descending ? "descending" : "ascending"));
      button.onclick = () => go({ sort: name, descending: sorted ? !descending : falls, page: 1 });
    },
  };
}

function row() {
  const badge = statusBadge();
  const progress = bar("Progress");
  const anchor = taskLink();
  const priority = el("td", { class: "priority-column" });
  const time = timeElement();
  const worker = el("td", { class: "worker-column" });
  const node = el(
    "tr",
    { onclick: (event) => followRow(event, anchor.node) },
    el("td", { class: "status-column" }, badge.node, progress.node),
    el("td", { class: "task-column" }, anchor.node),
    priority,
    el("td", { class: "since-column" }, time.node),
    worker,
  );
  return {
    node,
    update({ task, chosen }) {
      attribute(node, "aria-current", chosen && "true");
      badge.update(task.shown);
      showProgress(progress, task);
      anchor.update(task);
      text(priority, task.priority);
      time.update(since(task));
      text(worker, workerWords(task));
      attribute(worker, "title", task.worker_running);
    },
  };
}

function showProgress(progress, task) {
  const known = running(task) && typeof task.progress_percentage === "number";
  show(progress.node, known);
  if (known) progress.update(task.progress_percentage, 100);
}

function workerWords(task) {
  if (task.worker_running && running(task)) return clip(workerName({ name: task.worker_running }), WORKER_LENGTH);
  if (task.status !== "PENDING") return "";
  return task.workers.length ? counted(task.workers.length, "worker") : "no worker";
}

// The whole row opens its task, except where somebody selects text in it.
function followRow(event, anchor) {
  if (!event.target.closest("a") && !getSelection().toString()) anchor.click();
}

function moveFocus(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const neighbour = step && event.target.closest("tbody tr")?.[step];
  if (!neighbour) return;
  event.preventDefault();
  neighbour.querySelector("a").focus();
}

function emptyNote() {
  const words = el("p");
  const hint = el("code", {}, `luigi --scheduler-url ${new URL("../../", location.href).href} --module … …`);
  const node = el("div", { class: "empty" }, words, hint);
  return {
    node,
    update(matches, { tasks, unlisted }) {
      const fresh = tasks.size === 0 && unlisted.length === 0;
      show(node, matches === 0);
      show(hint, fresh);
      text(words, fresh ? "No tasks yet. A pipeline appears here once it is started with" : "No task matches.");
    },
  };
}
