// One task in one line, wherever tasks are listed beside the table: its status, its name as a link to its details, and
// a note.

import { attribute, button, el, list, show, text } from "./dom.js";
import { amount, clip, counted, parameters, taskName } from "./format.js";
import { link } from "./router.js";
import { statusBadge } from "./status.js";

const NAME_LENGTH = 120;
const PARAMETERS_LENGTH = 200;

/** A link to a task's details: its family, and its parameters after it. */
export function taskLink() {
  const name = el("span", { class: "task-name" });
  const params = el("span", { class: "task-params" });
  const node = el("a", { class: "task-link" }, name, " ", params);
  return {
    node,
    update(task) {
      attribute(node, "href", link({ task: task.id }));
      attribute(node, "title", clip(task.id, 1000));
      text(name, clip(taskName(task), NAME_LENGTH));
      text(params, clip(parameters(task), PARAMETERS_LENGTH));
    },
  };
}

function taskLine() {
  const badge = statusBadge();
  const anchor = taskLink();
  const note = el("span", { class: "muted note" });
  return {
    node: el("li", {}, badge.node, anchor.node, note),
    update({ task, note: words }) {
      badge.update(task.shown ?? task.status);
      anchor.update(task);
      text(note, words);
    },
  };
}

/**
 * A list of tasks that shows the first few and, asked to, the others, up to a bound.
 * @param {{few: number, most: number}} bounds
 */
export function taskLines({ few, most }) {
  let entries = [];
  let open = false;
  const lines = el("ul", { class: "lines" });
  const more = button("", toggle, { class: "button quiet more" });
  const rest = el("p", { class: "muted" });

  function toggle() {
    open = !open;
    draw();
  }

  function draw() {
    list(lines, entries.slice(0, open ? most : few), ({ task }) => task.id, taskLine);
    show(more, entries.length > few);
    text(more, open ? "Show fewer" : `Show ${amount(Math.min(entries.length, most) - few)} more`);
    show(rest, open && entries.length > most);
    text(rest, `and ${counted(entries.length - most, "other")}`);
  }

  return {
    node: el("div", {}, lines, more, rest),
    /** @param {Array<{task: Object, note: string}>} wanted */
    update(wanted) {
      entries = wanted;
      draw();
    },
  };
}
