// The bar above the table: words to look for, and what else the tasks are filtered by, each to be taken away with a
// click.

import { el, list, text } from "./dom.js";
import { amount, clip } from "./format.js";
import { go } from "./router.js";
import { label } from "./status.js";

const LENGTHS = [25, 50, 100, 200];
const CHIP_LENGTH = 40;

export function filterBar() {
  const input = el("input", {
    type: "search",
    id: "filter",
    placeholder: "Filter by name, parameter, id, worker  ( / )",
    "aria-label": "Filter tasks",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => go({ search: input.value, page: 1 }, { replace: true }),
  });
  const found = el("span", { class: "found", role: "status" });
  const chips = el("div", { class: "chips" });
  const length = lengthChoice();
  return {
    node: el("div", { class: "filters" }, input, chips, found, length.node),
    update(route, matches) {
      if (input.value !== route.search) input.value = route.search;
      text(found, matches === 1 ? "1 task" : `${amount(matches)} tasks`);
      list(chips, chosenFilters(route), ({ key }) => key, chip);
      length.update(route.length);
    },
  };
}

function chosenFilters({ statuses, family }) {
  const ofStatus = statuses.map((status) => ({
    key: `status ${status}`,
    words: label(status),
    without: { statuses: statuses.filter((other) => other !== status) },
  }));
  const ofFamily = family
    ? [{ key: `family ${family}`, words: clip(family, CHIP_LENGTH), without: { family: "" } }]
    : [];
  return [...ofStatus, ...ofFamily];
}

function chip({ words }) {
  const cross = el("span", { "aria-hidden": "true" }, "×");
  const node = el("button", { type: "button", class: "chip", "aria-label": `Remove filter: ${words}` }, words, cross);
  return {
    node,
    update: ({ without }) => {
      node.onclick = () => go({ ...without, page: 1 });
    },
  };
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
        (n) => ({ node: el("option", { value: n }, String(n)), update() {} }),
      );
      select.value = length;
    },
  };
}
