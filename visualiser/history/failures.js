// What went wrong of late, the same message counted once.

import { addressOf, ask, lookup } from "../api.js";
import { attribute, el, failureNote, show } from "../dom.js";
import { figureTable } from "../figures.js";
import { ago, amount, clip } from "../format.js";
import { toRun } from "./wording.js";

const MESSAGE_LENGTH = 300;
const NAMES_LENGTH = 120;
const names = (all) => clip(all.join(", "), NAMES_LENGTH);

const COLUMNS = [
  {
    title: "Message",
    of: ({ message }) => clip(message || "no message", MESSAGE_LENGTH),
    link: ({ run_id: number }) => toRun(number),
    hint: "# stands for numbers that differ; leads to the last such run",
  },
  { title: "Times", of: ({ count }) => amount(count), number: true },
  { title: "Last", of: ({ last }) => ago(last) },
  { title: "First", of: ({ first }) => ago(first) },
  { title: "Families", of: ({ families }) => names(families) },
  { title: "Hosts", of: ({ hosts }) => names(hosts) },
];

/** @param {function()} update  of the page */
export function failuresPart(update) {
  const table = failuresTable(update);
  return {
    node: el("section", { class: "card block", "aria-label": "Failures" }, table.node),
    update: (route, version) => table.update("", version),
  };
}

/** The failures of a family, or of all. */
export function failuresTable(update) {
  const rows = lookup((fields, signal) => ask("history/failures", fields, signal), update, { keep: true });
  const trouble = failureNote(rows);
  const table = figureTable("Failures by message", COLUMNS, ({ message }) => message);
  const nothing = el("p", { class: "muted" }, "Nothing has failed.");
  const file = el("a", { class: "text-link", download: "" }, "CSV");
  const save = el("p", { class: "muted files" }, "Save as ", file);
  return {
    node: el("div", { class: "failures" }, trouble.node, table.node, nothing, save),
    /** @param {string} family  empty: all */
    update(family, version) {
      rows.update({ family }, version);
      trouble.update();
      const found = rows.value?.rows ?? [];
      table.update(found);
      show(nothing, rows.value && !found.length);
      show(save, found.length);
      attribute(file, "href", addressOf("history/failures", { family, format: "csv" }));
    },
  };
}
