// The tasks: how many there are of each status and family, and a table of those asked for. The daemon filters, sorts
// and cuts; what is here is one page of it.

import { callButton } from "./actions.js";
import { call, lookup } from "./api.js";
import { attribute, bar, el, failureNote, fill, show, text, timeElement } from "./dom.js";
import { familyList, shownCounts, statusTiles } from "./families.js";
import { filterBar, filtersOf, isFiltered, wireFilters, wireOrder } from "./filters.js";
import { amount, clip, counted, workerName } from "./format.js";
import { go, link } from "./router.js";
import { pageAt, pager, virtualTable } from "./table.js";
import { running, shownStatus, since, statusBadge, taskLink } from "./task.js";

const COLUMNS = [
  { name: "status", title: "Status" },
  { name: "task", title: "Task" },
  { name: "priority", title: "Priority", falls: true },
  { name: "since", title: "Since", falls: true },
  { name: "worker", title: "Worker" },
  { name: "deeds", title: "" },
];
const WORKER_LENGTH = 80;
const MOST_FAMILIES = 500;

/** @param context  store, actions and the function that brings the page in line: see app.js */
export function tasksView({ store, actions, update }) {
  const rows = lookup(readRows, update, { keep: true });
  const families = lookup((_, signal) => call("families", { limit: MOST_FAMILIES }, signal), update, { keep: true });
  const tiles = statusTiles();
  const sidebar = familyList(update);
  const filters = filterBar({ store, rows });
  const table = virtualTable({
    name: "Tasks",
    columns: COLUMNS,
    sort: (order) => go({ ...order, page: 1 }),
    key: ({ task }) => task.id,
    row: () => row(store, actions),
  });
  const tooMany = el("p", { class: "hint" });
  const trouble = failureNote(rows, families);
  const nothing = emptyNote();
  const pages = pager(turnTo);
  const card = el("section", { class: "card rows", "aria-label": "Tasks" });
  card.append(filters.node, trouble.node, table.node, nothing.node, pages.node);

  const view = {
    node: el("div", { class: "tasks" }, tiles.node, tooMany, el("div", { class: "columns" }, sidebar.node, card)),
    /** Asks for the rows ahead of the first update(), and makes them as soon as they are there. */
    prepare(route) {
      rows.update(questionOf(route), store.revision);
      if (rows.value) view.update(route);
    },
    update(route) {
      rows.update(questionOf(route), store.revision);
      families.update(null, store.revision);
      const found = rows.value ?? { total: 0, rows: [] };
      tiles.update(store.counts, route.statuses);
      sidebar.update(families.value?.families.map(familyEntry), route.family);
      filters.update(route, found.total);
      trouble.update();
      showTooMany(tooMany, store.overview);
      attribute(card, "aria-busy", rows.value === null || rows.stale ? "true" : null);
      table.update(
        found.rows.map((task) => ({ task, chosen: task.id === route.task })),
        route,
      );
      nothing.update(rows.value !== null && !found.rows.length, store, route);
      pages.update(pageAt(route.page, route.length, found.total));
    },
  };
  return view;
}

function questionOf(route) {
  return { filters: filtersOf(route), order: wireOrder(route), length: route.length, page: route.page };
}

async function readRows({ filters, order, length, page }, signal) {
  const ask = (offset) => call("tasks", { ...wireFilters(filters), sort: order, offset, limit: length }, signal);
  const reply = await ask((page - 1) * length);
  // Past the end, as when the tasks have become fewer, is the last page.
  return reply.rows.length || !reply.total ? reply : ask(pageAt(page, length, reply.total).start);
}

function familyEntry({ family, counts, upstream, total }) {
  return { family, total, counts: shownCounts(counts, upstream) };
}

// Nothing is left out here, but whoever compares with a script or with stock's page should know why they see less.
function showTooMany(node, overview) {
  const most = overview?.limits.max_shown_tasks;
  const tooMany = overview?.total > most;
  show(node, tooMany);
  if (!tooMany) return;
  const limit = `more than max_shown_tasks (${amount(most)}), beyond which task_list only counts`;
  text(node, `${counted(overview.total, "task")}, ${limit}. This table has them all.`);
}

function turnTo(page) {
  go({ page });
  scrollTo(0, 0);
}

function row(store, actions) {
  const badge = statusBadge();
  const progress = bar("Progress");
  const anchor = taskLink();
  const priority = el("td", { class: "priority-column" });
  const time = timeElement();
  const worker = el("td", { class: "worker-column" });
  const deeds = deedsOf(store, actions);
  const node = el(
    "tr",
    { onclick: (event) => followRow(event, anchor.node) },
    el("td", { class: "status-column" }, badge.node, progress.node),
    el("td", { class: "task-column" }, anchor.node),
    priority,
    el("td", { class: "since-column" }, time.node),
    worker,
    deeds.node,
  );
  return {
    node,
    update({ task, chosen }) {
      attribute(node, "aria-current", chosen && "true");
      badge.update(shownStatus(task));
      showProgress(progress, task);
      anchor.update(task);
      text(priority, task.priority);
      priority.classList.toggle("muted", task.priority === 0);
      time.update(since(task));
      text(worker, workerWords(task));
      attribute(worker, "title", task.worker_running);
      deeds.update(task);
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

// What helps most, and the way to the graph; everything else is in the details.
const DEEDS = {
  __proto__: null,
  FAILED: { method: "forgive_failures", words: "Forgive", deed: "forgive", applies: () => true },
  DISABLED: { method: "re_enable_task", words: "Re-enable", deed: "reEnable", applies: (task) => task.re_enable_able },
};

function deedsOf(store, actions) {
  const graph = el("a", { class: "button quiet small on-hover" }, "Graph");
  const node = el("td", { class: "deeds-column" });
  let made = { status: null, control: null };
  return {
    node,
    update(task) {
      const known = DEEDS[task.status];
      if (made.status !== task.status) {
        const press = known && callButton(store, known.method, known.words, actions[known.deed], SMALL);
        made = { status: task.status, control: press };
      }
      made.control?.update(known.applies(task) && task);
      attribute(graph, "href", link({ tab: "graph", task: "", graph: { taskId: task.id } }));
      fill(node, made.control?.node ?? null, graph);
    },
  };
}

const SMALL = { class: "button small" };

// The whole row opens its task, except where somebody selects text in it.
function followRow(event, anchor) {
  if (!event.target.closest("a, button") && !getSelection().toString()) anchor.click();
}

function emptyNote() {
  const words = el("p");
  const hint = el("code", {}, `luigi --scheduler-url ${new URL("../../", location.href).href} --module … …`);
  const clear = el("a", { class: "button" }, "Show all tasks");
  const node = el("div", { class: "empty" }, words, hint, clear);
  return {
    node,
    update(empty, { overview }, route) {
      const fresh = overview?.total === 0;
      show(node, empty);
      show(hint, fresh);
      show(clear, !fresh && isFiltered(filtersOf(route)));
      attribute(clear, "href", "#tab=tasks");
      text(words, fresh ? "No tasks yet. A pipeline appears here once it is started with" : "No task matches.");
    },
  };
}
