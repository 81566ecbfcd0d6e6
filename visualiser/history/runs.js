// The runs of late, or those asked for: what is looked for, how they went by hour or day, and a page of them.

import { addressOf, ask, lookup, now } from "../api.js";
import { bottomAxis, chart, linear, outcomeColumns, timeTicks } from "../chart.js";
import { attribute, button, el, failureNote, list, show, text, timeElement } from "../dom.js";
import { TIMES, epochOf } from "../filters.js";
import { amount, clip, counted, exact } from "../format.js";
import { go, link } from "../router.js";
import { label, statusBadge } from "../task.js";
import { virtualTable } from "../table.js";
import { runLink, tookWords } from "./wording.js";

/** What a run may be. */
export const RUN_STATUSES = ["FAILED", "DISABLED", "RUNNING", "PENDING", "DONE"];

const SORTS = ["scheduled", "started", "duration", "family"];
const PERIODS = [...TIMES, ["-2592000", "the last 30 days"]];
const DEFAULT_SORT = "-scheduled";
const MESSAGE_LENGTH = 200;
const HOST_LENGTH = 80;
const YOUNG_S = 3 * 86400;
const COLUMNS = [
  { name: "status", title: "Status", sorts: false },
  { name: "family", title: "Task" },
  { name: "message", title: "What went wrong", sorts: false },
  { name: "scheduled", title: "Scheduled", falls: true },
  { name: "started", title: "Started", falls: true },
  { name: "duration", title: "Took", falls: true },
  { name: "host", title: "Host", sorts: false },
];

/**
 * What the daemon is asked for, but for the times, which may be relative.
 * @param route  see router.js
 */
export function questionOf({
  family,
  worker,
  params,
  since,
  until,
  statuses,
  length,
  history: { host, sorted, after },
}) {
  const param = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  // By parameter, the daemon has one order only.
  const sort = !param.length && SORTS.includes(sorted.replace("-", "")) ? sorted : DEFAULT_SORT;
  const status = RUN_STATUSES.filter((each) => statuses.includes(each));
  return { family, worker, host, status, param, since, until, sort, after, limit: length };
}

/** The same with moments for times. */
export const wireFields = ({ since, until, ...rest }) => ({ ...rest, since: epochOf(since), until: epochOf(until) });

/** @param {function()} update  of the page */
export function runsPart(update) {
  const rows = lookup((fields, signal) => ask("history/runs", wireFields(fields), signal), update, { keep: true });
  const buckets = lookup(readBuckets, update, { keep: true });
  const filters = filterForm();
  const outcomes = chart("How runs went", 132, drawOutcomes);
  const trouble = failureNote(rows);
  const table = virtualTable({
    name: "Runs",
    columns: COLUMNS,
    sort: ({ sort, descending }) => go({ history: { sorted: `${descending ? "-" : ""}${sort}`, after: "" } }),
    key: (run) => run.run_id,
    row,
  });
  const nothing = el("p", { class: "empty" });
  const pages = keyPager();
  const files = ["CSV", "JSON lines"].map(fileLink);
  const save = el("p", { class: "muted files" }, "Save all of these as ", files[0].node, " or ", files[1].node);
  const card = el("section", { class: "card rows", "aria-label": "Runs" }, filters.node);
  card.append(trouble.node, table.node, nothing, el("div", { class: "line foot" }, pages.node, save));
  return {
    node: el("div", { class: "stack" }, el("section", { class: "card block" }, outcomes.node), card),
    update(route, version) {
      const question = questionOf(route);
      const { family, since, until, sort, after } = question;
      rows.update(question, after ? 0 : version); // older pages stay as they are
      buckets.update({ family, since, until }, version);
      filters.update(route);
      trouble.update();
      attribute(card, "aria-busy", rows.value === null || rows.stale ? "true" : null);
      showBuckets(outcomes, buckets.value);
      const found = rows.value?.rows ?? [];
      table.update(found, { sort: sort.replace("-", ""), descending: sort.startsWith("-") });
      show(nothing, rows.value && !found.length);
      text(nothing, rows.value?.next ? "No such run so far: look further." : after ? "No more runs." : "No such run.");
      pages.update(rows.value, question);
      show(save, found.length);
      for (const file of files) file.update(question);
    },
  };
}

async function readBuckets(fields, signal) {
  const found = await ask("history/buckets", wireFields(fields), signal);
  const first = found.rows.find(({ done, failed }) => done + failed)?.start ?? 0;
  if (fields.since || fields.until || first < now() - YOUNG_S) return found;
  return ask("history/buckets", { ...wireFields(fields), since: first, bucket: "hour" }, signal); // days would be too few
}

function row() {
  const badge = statusBadge();
  const anchor = runLink();
  const message = el("td", { class: "message-column" });
  const scheduled = timeElement();
  const started = timeElement();
  const lasted = el("td", { class: "duration-column" });
  const host = el("td", { class: "host-column" });
  const node = el(
    "tr",
    { onclick: (event) => !event.target.closest("a") && !getSelection().toString() && anchor.node.click() },
    el("td", { class: "status-column" }, badge.node),
    el("td", { class: "family-column task-column" }, anchor.node),
    message,
    el("td", { class: "scheduled-column" }, scheduled.node),
    el("td", { class: "started-column" }, started.node),
    lasted,
    host,
  );
  return {
    node,
    update(run) {
      badge.update(run.status);
      anchor.update(run);
      text(message, clip(run.message ?? run.reason ?? "", MESSAGE_LENGTH));
      scheduled.update(run.scheduled);
      show(started.node, run.started !== null);
      started.update(run.started);
      text(lasted, tookWords(run, run.status === "RUNNING" ? "running" : ""));
      text(host, clip(run.host ?? "", HOST_LENGTH));
    },
  };
}

// -- what is looked for

function filterForm() {
  const statuses = RUN_STATUSES.map(statusChoice);
  const fields = {
    family: field("Family", "family"),
    host: field("Host", "host"),
    worker: field("Worker", "worker"),
    parameter: field("Parameter", "parameter", "date=2026-01-31"),
  };
  const time = el("select", { name: "time", "aria-label": "Scheduled in", onchange: submit });
  const applied = el("button", { class: "button" }, "Show");
  const about = el("p", { class: "muted offscreen", role: "status" });
  const node = el(
    "form",
    { class: "history-filters", onsubmit: submit, "aria-label": "Which runs" },
    el("div", { class: "choices small", role: "group", "aria-label": "Status" }, ...statuses.map((each) => each.node)),
    ...Object.values(fields).map((each) => each.node),
    time,
    applied,
    about,
  );
  let shown = null;

  function submit(event) {
    event.preventDefault();
    const value = (name) => fields[name].input.value.trim();
    const [, name, words] = value("parameter").match(/^([^=]+)=(.*)$/s) ?? [];
    go({
      family: value("family"),
      worker: value("worker"),
      params: name ? { [name]: words } : {},
      ...(time.value === "own" ? {} : { since: time.value, until: "" }),
      history: { host: value("host"), after: "" },
    });
  }

  return {
    node,
    update({ family, worker, params, since, until, statuses: chosen, history: { host } }) {
      for (const each of statuses) each.update(chosen);
      const state = JSON.stringify([family, worker, params, since, until, host]);
      if (state === shown) return; // what is being typed stays
      shown = state;
      const parameter = Object.entries(params).map(([name, value]) => `${name}=${value}`);
      for (const [name, value] of Object.entries({ family, host, worker, parameter: parameter[0] ?? "" })) {
        fields[name].input.value = value;
      }
      const preset = !until && PERIODS.some(([of]) => of === since);
      const own = preset ? [] : [["own", periodWords(since, until)]];
      list(
        time,
        [...PERIODS, ...own],
        ([of]) => of,
        ([of]) => periodChoice(of),
      );
      time.value = preset ? since : "own";
    },
  };
}

function field(words, name, placeholder = "") {
  const input = el("input", { name, placeholder, autocomplete: "off", spellcheck: "false" });
  return { input, node: el("label", { class: `labelled ${name}` }, el("span", { class: "muted" }, words), input) };
}

function periodChoice(value) {
  const node = el("option", { value });
  return { node, update: ([, words]) => text(node, words) };
}

const periodWords = (since, until) =>
  [since && `since ${since.replace("T", " ")}`, until && `until ${until.replace("T", " ")}`].filter(Boolean).join(" ");

function statusChoice(status) {
  const badge = statusBadge();
  badge.update(status);
  const node = el("button", { type: "button", title: `Only runs that are ${label(status).toLowerCase()}` }, badge.node);
  return {
    node,
    update(chosen) {
      const pressed = chosen.includes(status);
      attribute(node, "aria-pressed", String(pressed));
      const others = chosen.filter((other) => RUN_STATUSES.includes(other) && other !== status);
      node.onclick = () => go({ statuses: pressed ? others : [...others, status], history: { after: "" } });
    },
  };
}

// -- the chart above

function showBuckets(outcomes, value) {
  const rows = value?.rows ?? [];
  const columns = rows.slice(rows.findIndex(({ done, failed }) => done + failed));
  const sum = (name) => columns.reduce((total, column) => total + column[name], 0);
  const [done, failed] = [sum("done"), sum("failed")];
  show(outcomes.node, done + failed);
  if (!columns.length) return;
  outcomes.update(columns, `${counted(done, "run")} succeeded, ${amount(failed)} failed, by ${value.bucket}`);
}

function drawOutcomes(room, columns) {
  const across = linear(columns[0].start, columns.at(-1).end, room.left, room.right);
  const parts = columns.map(({ start, end, done, failed }) => ({
    from: start,
    to: end,
    done,
    failed,
    words: `${exact(start)}: ${done} succeeded, ${failed} failed`,
  }));
  const ticks = timeTicks(columns[0].start, columns.at(-1).end, (room.right - room.left) / 90);
  return [...outcomeColumns(room, parts, across), ...bottomAxis(room, across, ticks)];
}

// -- pages by key, and files

/** Pages whose number nobody knows: the daemon says where the next one begins. */
function keyPager() {
  const befores = new Map(); // where a page begins -> where the one before it does
  const before = button("Previous", () => turn(befores.get(at.after) ?? ""));
  const after = button("Next", () => turn(at.next));
  const node = el("div", { class: "pager", role: "group", "aria-label": "Pages" }, before, after);
  let at = { after: "", next: null };

  function turn(place) {
    go({ history: { after: place } });
    scrollTo(0, 0);
  }

  return {
    node,
    update(found, { after: here, limit }) {
      at = { after: here, next: found?.next ?? null };
      if (at.next) befores.set(at.next, here);
      show(node, here || at.next);
      attribute(before, "disabled", !here);
      text(before, !here || befores.has(here) ? "Previous" : "To the first page");
      attribute(after, "disabled", !at.next);
      text(after, at.next && found.rows.length < limit ? "Look further" : "Next");
    },
  };
}

function fileLink(words) {
  const node = el("a", { class: "text-link", download: "" }, words);
  return {
    node,
    update({ limit, after, ...question }) {
      const fields = { ...wireFields(question), format: words === "CSV" ? "csv" : "jsonl" };
      attribute(node, "href", addressOf("history/runs", fields));
    },
  };
}
