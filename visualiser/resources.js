// The resources: how much of each is taken, by which tasks, and how much there is.

import { call, lookup } from "./api.js";
import { bar, el, failureNote, list, show, text } from "./dom.js";
import { amount, clip } from "./format.js";
import { pageOf, pager } from "./table.js";
import { go } from "./router.js";
import { stepper } from "./stepper.js";
import { taskLines } from "./task.js";

const PER_PAGE = 50;
const NAME_LENGTH = 120;
const NOTHING =
  "No resources are set up. Their totals stand in the [resources] section of the daemon's configuration; " +
  "a resource without one has a total of 1.";

/** @param context  see app.js */
export function resourcesView(context) {
  const resources = lookup((_, signal) => call("resource_list", {}, signal), context.update, { keep: true });
  const reading = failureNote(resources);
  const cards = el("div", { class: "cards" });
  const nothing = el("p", { class: "empty" }, NOTHING);
  const pages = pager((page) => go({ page }));
  return {
    node: el("section", { "aria-label": "Resources" }, reading.node, cards, nothing, pages.node),
    update(route) {
      resources.update(null, context.store.revision);
      reading.update();
      const page = pageOf([...(resources.value ?? [])].sort(byName), route.page, PER_PAGE);
      list(
        cards,
        page.items,
        ({ name }) => name,
        (resource) => card(resource, context),
      );
      show(nothing, resources.value?.length === 0);
      pages.update(page);
    },
  };
}

const byName = (a, b) => (a.name < b.name ? -1 : 1);

function card(resource, { store, actions }) {
  const name = clip(resource.name, NAME_LENGTH);
  const used = el("span");
  const free = el("span", { class: "muted" });
  const filled = bar(`${name} in use`);
  const tasks = taskLines({ few: 6, most: 100 });
  const total = stepper(store, {
    label: `total of ${name}`,
    least: 0,
    method: "update_resource",
    set: (n, before) => actions.setResource(resource, n, before),
  });
  return {
    node: el(
      "article",
      { class: "card resource-card" },
      el("header", {}, el("h2", {}, name)),
      el("div", { class: "load" }, used, free, filled.node),
      tasks.node,
      el("footer", {}, el("span", { class: "muted" }, "Total"), total.node),
    ),
    update({ num_used: taken, num_total: all, running = {} }) {
      text(used, `${amount(taken)} of ${amount(all)} in use`);
      text(free, freeWords(all - taken));
      free.classList.toggle("scarce", taken >= all);
      filled.update(taken, all);
      tasks.update(
        Object.entries(running).map(([id, task]) => ({ task: { ...task, id }, note: takes(task, resource.name) })),
      );
      total.update(all);
    },
  };
}

function freeWords(n) {
  if (n === 0) return "none free";
  return n > 0 ? `${amount(n)} free` : `${amount(-n)} more than there are`;
}

function takes(task, name) {
  const needs = task.resources_running ?? task.resources;
  return Object.hasOwn(needs, name) ? `takes ${amount(needs[name])}` : "";
}
