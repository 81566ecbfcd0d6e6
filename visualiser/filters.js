// The filters of the tasks: what they are on the wire, and the bar above the table: words to look for, what else the
// tasks are filtered by, each to be taken away with a click, and what can be done with all that they let through.

import { permit } from "./actions.js";
import { now } from "./api.js";
import { attribute, button, el, list, show, text } from "./dom.js";
import { amount, clip, counted, workerName } from "./format.js";
import { warn } from "./notices.js";
import { go, route } from "./router.js";
import { label } from "./task.js";

const LENGTHS = [25, 50, 100, 200, 500];
const CHIP_LENGTH = 40;

/** Times to choose from: as in the address, and in words. */
export const TIMES = [
  ["", "any time"],
  ["-900", "the last 15 minutes"],
  ["-3600", "the last hour"],
  ["-21600", "the last 6 hours"],
  ["-86400", "the last day"],
  ["-604800", "the last week"],
];

/** The filters of a route and nothing else of it: what decides which tasks are meant. */
export function filtersOf({ statuses, family, worker, params, since, until, search }) {
  return { statuses, family, worker, params, since, until, search };
}

/** Whether any of them is set. */
export const isFiltered = (filters) => JSON.stringify(filters) !== JSON.stringify(NO_FILTERS);

/** No filters: merged into a route they show all tasks. */
export const NO_FILTERS = { statuses: [], family: "", worker: "", params: {}, since: "", until: "", search: "" };

/** The filters as arguments of tasks(), at this moment: "an hour ago" is another time each time it is asked. */
export function wireFilters({ statuses, family, worker, params, since, until, search }) {
  return {
    status: statuses,
    family: family ? [family] : [],
    worker,
    params,
    since: epochOf(since),
    until: epochOf(until),
    search,
  };
}

/** "-3600" or a local time of day as epoch in seconds; null for neither. */
export function epochOf(moment) {
  if (!moment) return null;
  const seconds = moment.startsWith("-") ? now() + Number(moment) : Date.parse(moment) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** The route's order as tasks() wants it. */
export const wireOrder = ({ sort, descending }) => `${descending ? "-" : ""}${WIRE_COLUMNS[sort]}`;

const WIRE_COLUMNS = { status: "status", task: "name", priority: "priority", since: "updated", worker: "worker" };

/**
 * The bar above the table.
 * @param {{store: Object, rows: Object}} context  rows: the lookup of the table's rows
 */
export function filterBar({ store, rows }) {
  const input = el("input", {
    type: "search",
    id: "filter",
    placeholder: "Filter by name, parameter, id  ( / )",
    "aria-label": "Filter tasks",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => go({ search: input.value, page: 1 }, { replace: true }),
  });
  const found = el("span", { class: "found", role: "status" });
  const chips = el("div", { class: "chips" });
  const length = lengthChoice();
  const more = disclosure("Filter", filterForm());
  const all = allMenu(store);
  return {
    node: el("div", { class: "filters" }, input, more.node, chips, found, length.node, all.node),
    update(asked, matches) {
      if (input.value !== asked.search) input.value = asked.search;
      text(found, rows.value === null ? "" : counted(matches, "task"));
      list(chips, chosenFilters(asked), ({ key }) => key, chip);
      length.update(asked.length);
      more.update(asked);
      all.update(matches);
    },
  };
}

function chosenFilters({ statuses, family, worker, params, since, until }) {
  const chips = statuses.map((status) => ({
    key: `status ${status}`,
    words: label(status),
    without: { statuses: statuses.filter((other) => other !== status) },
  }));
  if (family) chips.push({ key: "family", words: family, without: { family: "" } });
  if (worker) chips.push({ key: "worker", words: `on ${workerName({ name: worker })}`, without: { worker: "" } });
  for (const [name, value] of Object.entries(params)) {
    const others = Object.fromEntries(Object.entries(params).filter(([other]) => other !== name));
    chips.push({ key: `param ${name}`, words: `${name}: ${value}`, without: { params: others } });
  }
  if (since) chips.push({ key: "since", words: sinceWords(since), without: { since: "" } });
  if (until) chips.push({ key: "until", words: `until ${until.replace("T", " ")}`, without: { until: "" } });
  return chips;
}

function sinceWords(since) {
  const known = TIMES.find(([value]) => value === since);
  return known ? `in ${known[1]}` : `since ${since.replace("T", " ")}`;
}

function chip() {
  const words = el("span");
  const cross = el("span", { "aria-hidden": "true" }, "×");
  const node = el("button", { type: "button", class: "chip" }, words, cross);
  return {
    node,
    update(filter) {
      text(words, clip(filter.words, CHIP_LENGTH));
      attribute(node, "aria-label", `Remove filter: ${clip(filter.words, CHIP_LENGTH)}`);
      node.onclick = () => go({ ...filter.without, page: 1 });
    },
  };
}

// The filters that have no control of their own on the page.
function filterForm() {
  const worker = el("input", { name: "worker", autocomplete: "off", spellcheck: "false" });
  const name = el("input", { name: "parameter", autocomplete: "off", spellcheck: "false", placeholder: "date" });
  const value = el("input", { name: "value", autocomplete: "off", spellcheck: "false", placeholder: "2026-01" });
  const time = el("select", { name: "time" }, ...TIMES.map(([of, words]) => el("option", { value: of }, words)));
  const since = el("input", { type: "datetime-local", name: "since" });
  const until = el("input", { type: "datetime-local", name: "until" });
  const apply = el("button", { class: "button primary" }, "Filter");
  const exact = el("option", { value: "exact" }, "a time of your own");
  time.append(exact);
  time.addEventListener("change", showExact);
  const sinceField = field("Changed since", since);
  const untilField = field("until", until);
  const node = el(
    "form",
    { class: "filter-form", onsubmit: submit },
    field("Changed in", time),
    sinceField,
    untilField,
    field("Parameter", name),
    field("contains", value),
    field("Worker (its id)", worker),
    apply,
  );
  let shown = null;

  function showExact() {
    show(sinceField, time.value === "exact");
    show(untilField, time.value === "exact");
  }

  function submit(event) {
    event.preventDefault();
    const { params } = route();
    const own = time.value === "exact";
    go({
      page: 1,
      worker: worker.value.trim(),
      since: own ? since.value : time.value,
      until: own ? until.value : "",
      params: name.value.trim() ? { ...params, [name.value.trim()]: value.value } : params,
    });
    name.value = value.value = "";
    node.closest("details").open = false;
  }

  return {
    node,
    update(asked) {
      const state = JSON.stringify([asked.worker, asked.since, asked.until]);
      if (state === shown) return; // what is being typed stays
      shown = state;
      const preset = !asked.until && TIMES.some(([of]) => of === asked.since);
      worker.value = asked.worker;
      time.value = preset ? asked.since : "exact";
      since.value = asked.since.startsWith("-") ? "" : asked.since;
      until.value = asked.until;
      showExact();
    },
  };
}

const field = (words, control) => el("label", { class: "field" }, el("span", {}, words), control);

/** A button that unfolds something below it; Escape and a click elsewhere fold it again. */
function disclosure(words, content) {
  const summary = el("summary", { class: "button" }, words);
  const node = el("details", { class: "disclosure", onkeydown: escape }, summary, el("div", {}, content.node));
  addEventListener("pointerdown", (event) => {
    if (node.open && !node.contains(event.target)) node.open = false;
  });

  function escape(event) {
    if (event.key !== "Escape" || !node.open) return;
    event.stopPropagation();
    node.open = false;
    summary.focus();
  }

  return { node, summary, update: content.update };
}

const BULK = [
  ["forgive_failures", "Forgive failures…"],
  ["re_enable_task", "Re-enable…"],
  ["mark_as_done", "Mark as done…"],
];

// What can be done with all tasks that the filters let through, however many they are.
function allMenu(store) {
  const deeds = BULK.map(([action, words]) => menuItem(words, (bulk) => bulk.apply(store, action, filtersOf(route()))));
  const copies = ["JSON", "CSV"].map((format) => menuItem(`Copy as ${format}`, (bulk) => bulk.copyAs(format, route())));
  const heading = el("p", { class: "muted" });
  const items = el("div", { class: "menu" }, heading, ...deeds, el("hr"), ...copies);
  const menu = disclosure("Do with all", { node: items, update });

  function update(matches) {
    text(heading, `With ${matches === 1 ? "the task" : `all ${counted(matches, "task")}`} shown:`);
    for (const item of deeds) permit(item, store, "bulk", matches === 0);
    for (const item of copies) attribute(item, "disabled", matches === 0);
  }

  return menu;
}

function menuItem(words, deed) {
  const node = button(words, press, { class: "button quiet" });

  async function press() {
    node.closest("details").open = false;
    try {
      await deed(await import("./bulk.js"));
    } catch (error) {
      warn(`That did not work: ${error.message}.`);
    }
  }

  return node;
}

function lengthChoice() {
  const select = el("select", {
    "aria-label": "Tasks per page",
    onchange: () => go({ length: Number(select.value), page: 1 }),
  });
  return {
    node: el("label", { class: "length muted" }, select, " per page"),
    update(length) {
      const lengths = [...new Set([...LENGTHS, length])].sort((a, b) => a - b);
      list(
        select,
        lengths,
        (n) => n,
        (n) => ({ node: el("option", { value: n }, amount(n)), update() {} }),
      );
      select.value = length;
    },
  };
}
