// The families of the tasks, with how many there are of each and how they fare; a click shows one of them only.

import { attribute, el, list, show, text } from "./dom.js";
import { amount, clip, counted } from "./format.js";
import { link } from "./router.js";
import { label, rank } from "./status.js";

const MOST = 100;
const NAME_LENGTH = 120;

export function familyList() {
  const entries = el("ul", {});
  const rest = el("p", { class: "muted" });
  return {
    node: el("nav", { class: "families", "aria-label": "Families" }, el("h2", {}, "Families"), entries, rest),
    /** @param {Array} families  from query.js; `chosen` is a family or empty */
    update(families, chosen) {
      const all = { family: "", total: families.reduce((sum, { total }) => sum + total, 0), statuses: null };
      const shown = families.slice(0, MOST);
      list(
        entries,
        [all, ...shown].map((entry) => ({ ...entry, chosen })),
        ({ family }) => family,
        familyEntry,
      );
      show(rest, families.length > MOST);
      text(rest, `and ${counted(families.length - MOST, "smaller one")}`);
    },
  };
}

function familyEntry({ family }) {
  const number = el("span", { class: "amount" });
  const strip = el("span", { class: "strip", "aria-hidden": "true" });
  const name = el("span", { class: "name" }, clip(family, NAME_LENGTH) || "All families");
  const anchor = el("a", { title: clip(family, NAME_LENGTH) || null }, name, number, strip);
  return {
    node: el("li", {}, anchor),
    update({ total, statuses, chosen }) {
      attribute(anchor, "href", link({ tab: "tasks", family: family === chosen ? "" : family, page: 1 }));
      attribute(anchor, "aria-current", family === chosen && "true");
      text(number, amount(total));
      list(strip, statuses ? inOrder(statuses) : [], ([status]) => status, stripPart);
    },
  };
}

const inOrder = (statuses) => [...statuses].sort(([a], [b]) => rank(a) - rank(b));

function stripPart([status]) {
  const node = el("span", { "data-status": status, title: label(status) });
  return {
    node,
    update: ([, n]) => {
      node.style.flexGrow = n;
    },
  };
}
