// How many tasks there are: of each status, as tiles that filter the table, and of each family, as a list that does.

import { attribute, el, list, show, text } from "./dom.js";
import { amount, clip, counted } from "./format.js";
import { go, link } from "./router.js";
import { STATUSES, label, rank, statusIcon } from "./task.js";

const MOST = 100;
const NAME_LENGTH = 120;
// From this many on, there is a box to find one in.
const MANY = 12;

export function statusTiles() {
  const strip = el("div", { class: "strip", "aria-hidden": "true" });
  const tiles = el("div", { class: "tiles", role: "group", "aria-label": "Tasks by status" });
  return {
    node: el("section", { "aria-label": "Status" }, strip, tiles),
    /** @param {Object<string, number>} counts  by status */
    update(counts, chosen) {
      const entries = shownStatuses(counts, chosen).map((status) => ({ status, n: counts[status] ?? 0, chosen }));
      const some = entries.filter(({ n }) => n);
      list(strip, some, statusOf, stripPart);
      list(tiles, entries, statusOf, tile);
    },
  };
}

const statusOf = ({ status }) => status;

// The rare ones only where there are any, and those that only another version knows too.
function shownStatuses(counts, chosen) {
  const strangers = [...Object.keys(counts), ...chosen].filter((status) => !(status in STATUSES));
  const known = Object.keys(STATUSES).filter(
    (status) => !STATUSES[status].rare || counts[status] || chosen.includes(status),
  );
  return [...new Set([...known, ...strangers])];
}

function stripPart({ status }) {
  const node = el("span", { "data-status": status, title: label(status) });
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
  const about = { class: "tile", "data-status": status, title: STATUSES[status]?.hint, type: "button" };
  const node = el("button", about, name, number);
  return {
    node,
    update({ n, chosen }) {
      text(number, amount(n));
      node.classList.toggle("none", n === 0);
      attribute(node, "aria-pressed", String(chosen.includes(status)));
      node.onclick = () => go({ statuses: toggled(chosen, status), page: 1 });
    },
  };
}

const toggled = (chosen, status) =>
  chosen.includes(status) ? chosen.filter((other) => other !== status) : [...chosen, status];

/** @param {function()} changed  called when another part of the list is to be shown */
export function familyList(changed) {
  const find = el("input", {
    type: "search",
    placeholder: "Find a family",
    "aria-label": "Find a family",
    autocomplete: "off",
    spellcheck: "false",
    oninput: changed,
  });
  const groups = el("div", { class: "packages" });
  const rest = el("p", { class: "muted" });
  return {
    node: el("nav", { class: "families", "aria-label": "Families" }, el("h2", {}, "Families"), find, groups, rest),
    /**
     * @param {Array<{family: string, counts: Object<string, number>, total: number}>=} read  nothing before it is known
     * @param {string} chosen  one of them, or ""
     */
    update(read, chosen) {
      const families = read ?? [];
      const wanted = find.value.toLowerCase();
      const found = families.filter(({ family }) => family === chosen || family.toLowerCase().includes(wanted));
      const all = { family: "", total: read?.reduce((sum, { total }) => sum + total, 0), counts: null };
      show(find, families.length >= MANY);
      list(groups, byPackage([all, ...found.slice(0, MOST)], chosen), ({ name }) => name, packageGroup);
      show(rest, found.length > MOST);
      text(rest, `and ${counted(found.length - MOST, "smaller one")}: find them by name`);
    },
  };
}

/**
 * Groups families by package: what stands in their names before the last dot. Those without come first.
 * @returns {Array<{name: string, entries: Array}>}
 */
export function byPackage(families, chosen) {
  const groups = new Map([["", []]]);
  for (const entry of families) {
    const name = entry.family.slice(0, Math.max(0, entry.family.lastIndexOf(".")));
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push({ ...entry, chosen });
  }
  return [...groups].map(([name, entries]) => ({ name, entries }));
}

function packageGroup({ name }) {
  const entries = el("ul");
  const heading = name ? el("h3", { title: name }, clip(name, NAME_LENGTH)) : null;
  return {
    node: el("section", {}, heading, entries),
    update: (group) => list(entries, group.entries, ({ family }) => family, familyEntry),
  };
}

function familyEntry({ family }) {
  const number = el("span", { class: "amount" });
  const strip = el("span", { class: "strip", "aria-hidden": "true" });
  const short = family.slice(family.lastIndexOf(".") + 1);
  const name = el("span", { class: "name" }, clip(short, NAME_LENGTH) || "All families");
  const anchor = el("a", { title: clip(family, NAME_LENGTH) || null }, name, number, strip);
  return {
    node: el("li", {}, anchor),
    update({ total, counts, chosen }) {
      attribute(anchor, "href", link({ tab: "tasks", family: family === chosen ? "" : family, page: 1 }));
      attribute(anchor, "aria-current", family === chosen && "true");
      text(number, total === undefined ? "–" : amount(total));
      const parts = Object.entries(counts ?? {}).map(([status, n]) => ({ status, n }));
      const some = parts.filter(({ n }) => n);
      list(
        strip,
        some.sort((a, b) => rank(a.status) - rank(b.status)),
        statusOf,
        stripPart,
      );
    },
  };
}

/**
 * Tasks by the status they are shown with: pending ones that wait for trouble are counted by what that is.
 * @param {Object<string, number>} counts  by own status; `upstream`: of pending ones by upstream status
 */
export function shownCounts(counts, upstream) {
  const behind = Object.values(upstream).reduce((sum, n) => sum + n, 0);
  return { ...counts, ...upstream, PENDING: Math.max(0, (counts.PENDING ?? 0) - behind) }; // counted one after the other
}
