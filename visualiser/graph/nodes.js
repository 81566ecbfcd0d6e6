// The nodes of the graph as a table: the same as in the picture, a page of them at a time.

import { attribute, button, el, list, show, text } from "../dom.js";
import { amount, clip } from "../format.js";
import { pageOf, pager } from "../table.js";
import { rank, statusBadge } from "../task.js";
import { STATUS_NAMES, nameOf, sizeOf } from "./common.js";

const PER_PAGE = 50;
const NAME_LENGTH = 200;

/** @param {{pick: function(number), focusOn: function(number)}} told  a row's name or its other button was clicked */
export function nodeTable({ pick, focusOn }) {
  const body = el("tbody");
  const headings = ["Status", "Task", "Needs", "Needed by", "Focus"].map((title) => el("th", { scope: "col" }, title));
  const table = el(
    "table",
    { class: "graph-table" },
    el("caption", { class: "offscreen" }, "Nodes of the graph"),
    el("thead", {}, el("tr", {}, ...headings)),
    body,
  );
  const nothing = el("p", { class: "empty" }, "No node matches.");
  const pages = pager((number) => {
    page = number;
    draw();
  });
  let [scene, find, page, selected, statuses, rows] = [null, "", 1, -1, null, []];

  function draw() {
    const at = pageOf(rows, page, PER_PAGE);
    const entries = at.items.map((v) => ({ v, key: keyOf(v), selected: v === selected }));
    list(body, entries, ({ key }) => key, nodeRow);
    show(nothing, rows.length === 0);
    pages.update(at);
  }

  const keyOf = (v) =>
    scene.task[v] < 0 ? `family ${scene.families[scene.family[v]]}` : `task ${scene.ids[scene.task[v]]}`;

  function nodeRow() {
    const badge = statusBadge();
    const name = el("span", { class: "task-name" });
    const detail = el("span", { class: "task-params" });
    const link = el("button", { type: "button", class: "graph-link" }, name, " ", detail);
    const [needs, neededBy] = [el("td", { class: "number" }), el("td", { class: "number" })];
    const focus = button("Focus", null, { class: "button quiet small" });
    const node = el("tr", {}, el("td", {}, badge.node), el("td", {}, link), needs, neededBy, el("td", {}, focus));
    return {
      node,
      update({ v, selected: chosen }) {
        const [title, beside] = nameOf(scene, v);
        const isGroup = scene.task[v] < 0;
        badge.update(STATUS_NAMES[scene.status[v]]);
        text(name, clip(title, NAME_LENGTH));
        text(detail, isGroup ? `${amount(sizeOf(scene, v))} tasks` : clip(beside, NAME_LENGTH));
        text(needs, amount(scene.degrees.needs[v]));
        text(neededBy, amount(scene.degrees.neededBy[v]));
        attribute(node, "aria-current", chosen && "true");
        attribute(link, "aria-expanded", isGroup && "false");
        link.onclick = () => pick(v);
        show(focus, !isGroup);
        focus.onclick = () => focusOn(v);
      },
    };
  }

  return {
    node: el("div", { class: "card graph-list" }, table, nothing, pages.node),
    /** Shows the nodes of a scene: those in trouble first, or those that match the words looked for. */
    update(facts) {
      const isOther = facts.scene !== scene || facts.find !== find;
      if (isOther) page = 1;
      ({ scene, find, selected } = facts);
      if (isOther || scene.status !== statuses) rows = matchingRows(scene, find);
      statuses = scene.status;
      draw();
    },
  };
}

function matchingRows(scene, find) {
  scene.degrees ??= degreesOf(scene);
  const needles = find.toLowerCase().split(/\s+/);
  const name = (v) => (scene.task[v] < 0 ? scene.families[scene.family[v]] : scene.ids[scene.task[v]]);
  const rows = [...scene.task.keys()].filter((v) => needles.every((word) => name(v).toLowerCase().includes(word)));
  const ranks = STATUS_NAMES.map(rank);
  return rows.sort((a, b) => ranks[scene.status[a]] - ranks[scene.status[b]] || a - b);
}

function degreesOf({ count, from, to }) {
  const [needs, neededBy] = [new Int32Array(count), new Int32Array(count)];
  for (const v of to) needs[v] += 1;
  for (const v of from) neededBy[v] += 1;
  return { needs, neededBy };
}
