// The controls above the graph, and what the address says about them.

import { attribute, button, choice, el, fill, list, show, text } from "../dom.js";
import { amount, clip, counted } from "../format.js";
import { go } from "../router.js";
import { STATUSES, label, statusIcon } from "../task.js";
import { STATUS_NAMES, isSet, namesIn } from "./common.js";

const STEPS = [1, 2, 3, 5, 10];
const NAME_LENGTH = 80;

/** Changes the address. */
export const change = (graph, options) => go({ graph }, options);

/** @param {{next: function(number), save: function()}} told  go to the next node found (1) or the one before; save */
export function controlBar(told) {
  const find = el("input", {
    type: "search",
    placeholder: "Find in the graph",
    "aria-label": "Find in the graph",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => change({ find: find.value }, { replace: true }),
    onkeydown: (event) => event.key === "Enter" && told.next(event.shiftKey ? -1 : 1),
  });
  const hits = el("span", { class: "muted", role: "status" });
  const ways = { up: "What it needs", down: "What needs it", both: "Both ways" };
  const direction = choice("Direction", Object.entries(ways), (way) =>
    change({ invert: way === "down" ? "1" : "", both: way === "both" ? "1" : "" }),
  );
  const lengths = STEPS.map((n) => [String(n), counted(n, "step")]);
  const steps = choice("Steps", [["", "All the way"], ...lengths], (n) => change({ steps: n }));
  const hideDone = checkbox("Hide done", (checked) => change({ hideDone: checked ? "1" : "" }));
  const group = checkbox("Group by family", (checked) => change({ group: checked ? "1" : "0", open: "" }));
  const path = checkbox("Longest chain", (checked) => change({ path: checked ? "" : "0" }));
  path.node.append(el("span", { class: "graph-chain", "aria-hidden": "true" }));
  const asTable = checkbox("List", (checked) => change({ list: checked ? "1" : "" }));
  return {
    node: el(
      "div",
      { class: "graph-controls card" },
      el("div", { class: "graph-find" }, find, hits),
      ...[direction, steps, hideDone, group, path, asTable].map(({ node }) => node),
      button("Save SVG", told.save),
    ),
    /** @param {Object} graph  that of the route @param {?Object} scene  null while there is none */
    update(graph, scene) {
      if (find.value !== graph.find) find.value = graph.find;
      direction.update(isSet(graph.both) ? "both" : isSet(graph.invert) ? "down" : "up");
      steps.update(graph.steps);
      for (const { node } of [direction, steps]) show(node, graph.taskId);
      hideDone.update(isSet(graph.hideDone));
      asTable.update(isSet(graph.list));
      if (!scene) return;
      group.update(scene.whole || graph.group === "" ? scene.grouped : isSet(graph.group), scene.whole);
      path.update(graph.path !== "0", scene.path.length === 0);
      path.say(scene.path.length ? `Longest chain: ${amount(scene.path.length)}` : "Longest chain");
    },
    say: (words) => text(hits, words),
  };
}

/**
 * How many tasks there are of each status, and the families that were opened.
 * @param {function(number)} follow  go to the next task of a status, by its number
 */
export function markBar(follow) {
  const hint = "Statuses; click to see the next such task";
  const legend = el("div", { class: "graph-legend", role: "group", "aria-label": hint });
  const opened = el("div", { class: "chips" });
  return {
    node: el("div", { class: "graph-marks" }, legend, opened),
    update(scene, graph) {
      const entry = ({ status, number }) => legendEntry(status, () => follow(number));
      list(legend, statusSums(scene), ({ status }) => status, entry);
      const names = namesIn(graph.open);
      const close = (name) => change({ open: JSON.stringify(names.filter((other) => other !== name)) });
      const families = scene.grouped ? names.filter((name) => scene.families.includes(name)) : [];
      const items = families.map((name) => ({ name, close }));
      list(opened, items, ({ name }) => name, familyChip);
    },
  };
}

function statusSums({ counts }) {
  const sums = STATUS_NAMES.map(() => 0);
  counts.forEach((n, i) => (sums[i % STATUS_NAMES.length] += n));
  const entries = STATUS_NAMES.map((status, number) => ({ status, number, n: sums[number] }));
  return entries.filter(({ n }) => n).reverse();
}

function legendEntry(status, onclick) {
  const word = el("span");
  const about = { class: "button small", "data-status": status, title: STATUSES[status].hint };
  const node = button("", onclick, about);
  fill(node, statusIcon(status), word);
  return { node, update: ({ n }) => text(word, `${label(status)} ${amount(n)}`) };
}

function familyChip({ name }) {
  const node = button("", null, { class: "chip", "aria-label": `Close family ${name}` });
  fill(node, el("span", {}, clip(name, NAME_LENGTH)), el("span", { "aria-hidden": "true" }, "×"));
  return {
    node,
    update({ close }) {
      node.onclick = () => close(name);
    },
  };
}

function checkbox(words, changed) {
  const input = el("input", { type: "checkbox", onchange: () => changed(input.checked) });
  const said = el("span", {}, words);
  return {
    node: el("label", { class: "graph-check" }, input, said),
    update(checked, disabled = false) {
      input.checked = checked;
      attribute(input, "disabled", disabled);
    },
    say: (other) => text(said, other),
  };
}
