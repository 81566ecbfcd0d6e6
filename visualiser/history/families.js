// The families that ever ran: how often, how well and how long.

import { addressOf, ask, lookup } from "../api.js";
import { attribute, button, el, failureNote, show } from "../dom.js";
import { NOTHING, figureTable } from "../figures.js";
import { ago, amount, clip, took } from "../format.js";
import { go } from "../router.js";
import { label } from "../task.js";
import { percent, toFamily } from "./wording.js";

const NAME_LENGTH = 120;
const COLUMNS = [
  { title: "Family", of: ({ family }) => clip(family, NAME_LENGTH), link: ({ family }) => toFamily(family) },
  { title: "Runs", of: ({ runs }) => amount(runs), number: true },
  { title: "Failed", of: ({ failed }) => amount(failed), number: true },
  { title: "Success rate", of: (entry) => percent(entry.success_rate), number: true },
  {
    title: "Median",
    of: ({ median }) => (median === null ? NOTHING : took(median)),
    number: true,
    hint: "Of how long the last 20 successes took",
  },
  { title: "Last run", of: ({ last }) => `${label(last.status)}, ${ago(last.started ?? last.scheduled)}` },
];

/** @param {function()} update  of the page */
export function familiesPart(update) {
  const rows = lookup((fields, signal) => ask("history/families", fields, signal), update, { keep: true });
  const trouble = failureNote(rows);
  const search = el("input", {
    type: "search",
    placeholder: "Find a family",
    "aria-label": "Find a family",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => go({ search: search.value, history: { after: "" } }, { replace: true }),
  });
  const table = figureTable("Families that ever ran", COLUMNS, ({ family }) => family);
  const nothing = el("p", { class: "empty" }, "No such family ever ran.");
  const first = button("To the first page", () => go({ history: { after: "" } }));
  const next = button("Next", () => go({ history: { after: rows.value.next } }));
  const pages = el("div", { class: "pager", role: "group", "aria-label": "Pages" }, first, next);
  const file = el("a", { class: "text-link", download: "" }, "CSV");
  const save = el("p", { class: "muted files" }, "Save all as ", file);
  const node = el("section", { class: "card block", "aria-label": "Families" });
  node.append(search, trouble.node, table.node, nothing, el("div", { class: "line" }, pages, save));
  return {
    node,
    update({ search: words, length, history: { after } }, version) {
      if (search.value !== words) search.value = words;
      rows.update({ search: words, after, limit: length }, version);
      trouble.update();
      const found = rows.value?.rows ?? [];
      table.update(found);
      show(nothing, rows.value && !found.length);
      show(pages, after || rows.value?.next);
      attribute(first, "disabled", !after);
      attribute(next, "disabled", !rows.value?.next);
      attribute(file, "href", addressOf("history/families", { search: words, format: "csv" }));
    },
  };
}
