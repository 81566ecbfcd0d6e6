// Where time is lost: the resources that work waits for, the families with most to do, and how far the pipelines are.

import { ask, call, lookup } from "./api.js";
import { attribute, bar, el, failureNote, list, show, text, timeElement } from "./dom.js";
import { NOTHING, figureTable } from "./figures.js";
import { amount, clip, counted, duration } from "./format.js";
import { pageAt, pager } from "./table.js";
import { go, link } from "./router.js";
import { taskLines, taskLink } from "./task.js";

const NAME_LENGTH = 120;
const MOST_FAMILIES = 50;
const PIPELINES = 20;
const FINISHES_EVERY_MS = 10_000;

/** @param context  see app.js */
export function bottlenecksView({ store, update }) {
  const found = lookup((_, signal) => call("bottlenecks", {}, signal), update, { keep: true });
  const families = lookup((_, signal) => call("families", {}, signal), update, { keep: true });
  const pipelines = lookup(readPipelines, update, { keep: true });
  const finishes = lookup(readFinishes, update, { keep: true });
  const reading = failureNote(found, families, pipelines);
  const roots = pipelinesPart(update);
  const resources = resourcesPart();
  const kinds = familiesPart();
  return {
    node: el(
      "section",
      { "aria-label": "Bottlenecks", class: "stack" },
      reading.node,
      roots.node,
      resources.node,
      kinds.node,
    ),
    update(route) {
      found.update(null, store.revision);
      families.update(null, store.revision);
      pipelines.update({ page: route.page, finished: roots.finished() }, store.revision);
      // Without a history nobody can tell; with one it still may be of no help.
      if (store.overview?.features.history) finishes.update(null, Math.floor(Date.now() / FINISHES_EVERY_MS));
      reading.update();
      roots.update(pipelines.value, route.page, finishes.value);
      resources.update(found.value?.resources);
      kinds.update(families.value?.families);
    },
  };
}

function readPipelines({ page, finished }, signal) {
  const wanted = { offset: (page - 1) * PIPELINES, limit: PIPELINES, unfinished: !finished };
  return call("pipelines", wanted, signal);
}

/** When pipelines are expected to finish, by the id of their root: { finish, why }. */
async function readFinishes(_, signal) {
  const { rows } = await ask("history/expected_finish", {}, signal);
  return new Map(rows.map((row) => [row.task_id, row]));
}

// -- pipelines

// The parts of a bar, in the order in which a pipeline goes through them: what they are counted by, the status whose
// colour they have, and what they are called.
const PROGRESS = [
  ["DONE", "DONE", "done"],
  ["RUNNING", "RUNNING", "running"],
  ["BATCH_RUNNING", "BATCH_RUNNING", "running in a batch"],
  ["ready", "PENDING", "ready"],
  ["waiting", "PENDING", "waiting"],
  ["UPSTREAM_MISSING_INPUT", "UPSTREAM_MISSING_INPUT", "behind what is missing"],
  ["UPSTREAM_DISABLED", "UPSTREAM_DISABLED", "behind what is disabled"],
  ["UPSTREAM_FAILED", "UPSTREAM_FAILED", "behind what failed"],
  ["UNKNOWN", "UNKNOWN", "unknown"],
  ["DISABLED", "DISABLED", "disabled"],
  ["FAILED", "FAILED", "failed"],
];

function pipelinesPart(changed) {
  const finished = el("input", { type: "checkbox", onchange: changed });
  const choice = el("label", { class: "check muted" }, finished, "finished ones, too");
  const lines = el("ul", { class: "pipelines" });
  const nothing = el("p", { class: "muted" }, "No pipeline is under way.");
  const pages = pager((page) => go({ page }));
  const title = el("h2", {}, "Pipelines");
  const about = el("p", { class: "muted" }, "Tasks that nothing depends on, with all that they need.");
  return {
    node: el("section", { class: "card block" }, el("header", {}, title, choice), about, lines, nothing, pages.node),
    finished: () => finished.checked,
    /** @param {?Map} finishes  see readFinishes() */
    update(reply, page, finishes) {
      const entries = reply?.pipelines ?? [];
      const lasting = entries.map((entry) => ({ ...entry, finish: finishes?.get(entry.id)?.finish }));
      list(lines, lasting, ({ id }) => id, pipeline);
      show(nothing, reply && !entries.length);
      pages.update(pageAt(page, PIPELINES, reply?.total ?? 0));
    },
  };
}

function pipeline() {
  const anchor = taskLink();
  const graph = el("a", { class: "button quiet small" }, "Graph");
  const strip = el("div", { class: "strip thick", role: "img" });
  const words = el("p", { class: "muted" });
  const finish = timeElement();
  const expected = el("p", { class: "muted" }, "Expected to finish ", finish.node);
  const head = el("div", { class: "line" }, anchor.node, graph);
  return {
    node: el("li", {}, head, strip, el("div", { class: "line" }, words, expected)),
    update({ id, family, params, counts, total, complete, finish: at }) {
      anchor.update({ id, name: family, params });
      attribute(graph, "href", link({ tab: "graph", graph: { taskId: id } }));
      const parts = PROGRESS.map(([of, status, word]) => ({ of, status, word, n: counts[of] ?? 0 })).filter(
        ({ n }) => n,
      );
      list(strip, parts, ({ of }) => of, stripPart);
      const said = parts.map(({ n, word }) => `${amount(n)} ${word}`).join(", ");
      attribute(strip, "aria-label", said);
      text(
        words,
        `${share(counts.DONE ?? 0, total)} % of ${counted(total, "task")}${complete ? "" : " and more"}: ${said}`,
      );
      show(expected, at);
      finish.update(at);
    },
  };
}

const share = (part, whole) => Math.floor((100 * part) / Math.max(1, whole));

function stripPart({ of, status }) {
  const node = el("span", { "data-status": status, class: of });
  return {
    node,
    update({ n }) {
      node.style.flexGrow = n;
    },
  };
}

// -- resources

const RESOURCE_COLUMNS = [
  { title: "Resource", of: ({ name }) => clip(name, NAME_LENGTH) },
  { title: "In use", of: ({ used, total }) => `${amount(used)} of ${amount(total)}`, number: true },
  { title: "Ready and waiting for it", of: ({ waiting }) => amount(waiting), number: true },
  {
    title: "Never fit",
    of: ({ impossible }) => amount(impossible),
    number: true,
    hint: "Need more than there is in all",
  },
  {
    title: "Work behind",
    of: ({ behind, behind_complete: all }) => `${amount(behind)}${all ? "" : " or more"}`,
    number: true,
    hint: "Tasks that cannot run before these have",
  },
];

function resourcesPart() {
  const figures = figureTable("Resources by what waits for them", RESOURCE_COLUMNS, ({ name }) => name, resourceExtra);
  const nothing = el("p", { class: "muted" }, "No resources are set up.");
  const node = el("section", { class: "card block" }, el("h2", {}, "Resources"), figures.node, nothing);
  return {
    node,
    update(resources) {
      const entries = [...(resources ?? [])].sort((a, b) => b.waiting - a.waiting || b.behind - a.behind);
      figures.update(entries);
      show(nothing, resources && !entries.length);
    },
  };
}

function resourceExtra() {
  const filled = bar("In use");
  const holders = taskLines({ few: 0, most: 20 });
  return {
    node: el("div", {}, filled.node, holders.node),
    update({ used, total, holders: who, n_holders: n }) {
      filled.update(used, total);
      holders.update(
        (who ?? []).map((holder) => ({
          task: { ...holder, name: holder.family, status: "RUNNING" },
          note: `takes ${amount(holder.amount)}`,
        })),
        n,
      );
    },
  };
}

// -- families

const seconds = (of) => (entry) => (entry.seconds ? duration(entry.seconds[of]) : NOTHING);

const FAMILY_COLUMNS = [
  { title: "Family", of: ({ family }) => clip(family, NAME_LENGTH), link: ({ family }) => ({ family }) },
  { title: "Ready", of: ({ ready }) => amount(ready), number: true, hint: "Could be run at once" },
  { title: "Waiting", of: ({ waiting }) => amount(waiting), number: true, hint: "For what they depend on" },
  { title: "Running", of: ({ running }) => amount(running), number: true },
  {
    title: "Failed",
    of: ({ failed }) => amount(failed),
    number: true,
    link: ({ family }) => ({ family, statuses: ["FAILED", "DISABLED"] }),
  },
  { title: "Done a minute", of: ({ per_minute: n }) => rate(n), number: true, hint: "Of late" },
  { title: "Median", of: seconds("p50"), number: true, hint: "Of how long the last runs took" },
  { title: "90 % within", of: seconds("p90"), number: true },
  { title: "Longest", of: seconds("max"), number: true },
];

const rate = (n) => (n ? amount(Number(n.toPrecision(2))) : NOTHING);

function familiesPart() {
  const figures = figureTable("Families by what there is to do", FAMILY_COLUMNS, ({ family }) => family);
  const rest = el("p", { class: "muted" });
  const node = el("section", { class: "card block" }, el("h2", {}, "Families"), figures.node, rest);
  return {
    node,
    update(families) {
      const entries = [...(families ?? [])].sort(
        (a, b) => b.ready - a.ready || b.waiting - a.waiting || b.failed - a.failed,
      );
      figures.update(entries.slice(0, MOST_FAMILIES));
      show(rest, entries.length > MOST_FAMILIES);
      text(rest, `and ${counted(entries.length - MOST_FAMILIES, "other")} with less to do`);
    },
  };
}
