// How many tasks there are of each status: a strip of their shares, and a tile for each that filters the table.

import { attribute, el, list, text } from "./dom.js";
import { amount } from "./format.js";
import { go } from "./router.js";
import { STATUSES, label, statusIcon } from "./status.js";

export function statusTiles() {
  const strip = el("div", { class: "strip", "aria-hidden": "true" });
  const tiles = el("div", { class: "tiles", role: "group", "aria-label": "Tasks by status" });
  return {
    node: el("section", { "aria-label": "Status" }, strip, tiles),
    /** @param {Map<string, ?number>} counts  null: unknown */
    update(counts, chosen) {
      const entries = shownStatuses(counts, chosen).map((status) => ({
        status,
        n: counts.get(status) ?? null,
        chosen,
      }));
      list(
        strip,
        entries.filter(({ n }) => n),
        ({ status }) => status,
        stripPart,
      );
      list(tiles, entries, ({ status }) => status, tile);
    },
  };
}

// The rare ones only where there are any, and those that only another version knows too.
function shownStatuses(counts, chosen) {
  const strangers = [...counts.keys(), ...chosen].filter((status) => !(status in STATUSES));
  const known = Object.keys(STATUSES).filter(
    (status) => !STATUSES[status].rare || counts.get(status) || chosen.includes(status),
  );
  return [...new Set([...known, ...strangers])];
}

function stripPart({ status }) {
  const node = el("span", { "data-status": status });
  return {
    node,
    update: ({ n }) => {
      node.style.flexGrow = n;
    },
  };
}

function tile({ status }) {
  const number = el("span", { class: "number" });
  const name = el("span", { class: "name" }, statusIcon(status), el("span", { class: "word" }, label(status)));
  const node = el(
    "button",
    { type: "button", class: "tile", "data-status": status, title: STATUSES[status]?.hint },
    name,
    number,
  );
  return {
    node,
    update({ n, chosen }) {
      text(number, n === null ? "?" : amount(n));
      node.classList.toggle("none", n === 0);
      attribute(node, "aria-pressed", String(chosen.includes(status)));
      node.onclick = () => go({ statuses: toggled(chosen, status), page: 1 });
    },
  };
}

function toggled(chosen, status) {
  return chosen.includes(status) ? chosen.filter((other) => other !== status) : [...chosen, status];
}
