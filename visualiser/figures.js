// Tables of figures: each row an entry, each column a fact about it.

import { attribute, el, list, show, text } from "./dom.js";
import { NO_FILTERS } from "./filters.js";
import { link } from "./router.js";

/** What stands where there is no figure. */
export const NOTHING = "–";

/**
 * @param {string} name  for screen readers
 * @param {Array<{title: string, of: function(Object): string, number: ?boolean, hint: ?string,
 *                link: ?function(Object): Object}>} columns  link: the route of the tasks that the figure counts
 * @param {function(Object): string} key
 * @param {function(): Object=} extra  makes a component that stands below the first cell of a row
 */
export function figureTable(name, columns, key, extra = null) {
  const heads = columns.map(({ title, number, hint }) =>
    el("th", { scope: "col", class: number && "number", title: hint }, title),
  );
  const body = el("tbody");
  const caption = el("caption", { class: "offscreen" }, name);
  const node = el("table", { class: "figure-table" }, caption, el("thead", {}, el("tr", {}, ...heads)), body);
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, node);
  return {
    node: scroll,
    update(entries) {
      show(scroll, entries.length);
      list(body, entries, key, () => figureRow(columns, extra?.()));
    },
  };
}

function figureRow(columns, extra) {
  const [first, ...others] = columns;
  const cells = [figureCell(first, "th", extra), ...others.map((column) => figureCell(column, "td"))];
  return {
    node: el("tr", {}, ...cells.map(({ node }) => node)),
    update: (entry) => cells.forEach((cell) => cell.update(entry)),
  };
}

function figureCell({ of, number, link: target }, tag, extra = undefined) {
  const words = el(target ? "a" : "span");
  const node = el(tag, { class: number && "number", scope: tag === "th" && "row" }, words, extra?.node ?? null);
  return {
    node,
    update(entry) {
      const said = of(entry);
      text(words, said);
      words.classList.toggle("muted", said === "0" || said === NOTHING);
      if (target) attribute(words, "href", link({ tab: "tasks", page: 1, ...NO_FILTERS, ...target(entry) }));
      extra?.update(entry);
    },
  };
}
