// One task in one line, wherever tasks are listed: its status, its name as a link to its details, and a note.

import { attribute, button, el, list, show, text } from "./dom.js";
import { amount, clip, counted, parameters, resourceNeeds, taskName } from "./format.js";
import { link } from "./router.js";
import { statusBadge } from "./status.js";

const NAME_LENGTH = 120;
const PARAMETERS_LENGTH = 200;

/** Whether a worker is at it. */
export const running = ({ status }) => status === "RUNNING" || status === "BATCH_RUNNING";

/** The status a task is shown with: one that waits for trouble by what that is. */
export const shownStatus = ({ shown, status }) => shown ?? status;

/** When a task came to be as it is, epoch in seconds; undefined where nobody knows. */
export function since(task) {
  const moment = running(task) ? (task.time_running ?? task.last_updated) : task.last_updated;
  return typeof moment === "number" ? moment : undefined;
}

/** A link to a task's details: its family, and its parameters and what it takes up after it. */
export function taskLink() {
  const home = el("span", { class: "package" });
  const own = el("span");
  const name = el("span", { class: "task-name" }, home, own);
  const params = el("span", { class: "task-params" });
  const node = el("a", { class: "task-link" }, name, " ", params);
  return {
    node,
    update(task) {
      attribute(node, "href", link({ task: task.id }));
      attribute(node, "title", clip(task.id, 1000));
      const whole = clip(taskName(task), NAME_LENGTH);
      const end = task.name ? whole.lastIndexOf(".") + 1 : 0;
      text(home, whole.slice(0, end));
      text(own, whole.slice(end));
      text(params, clip(particulars(task), PARAMETERS_LENGTH));
    },
  };
}

// What tells it from others of its family.
function particulars(task) {
  if (!task.params) return task.id === taskName(task) ? "" : task.id;
  return [parameters(task), resourceNeeds(task.resources)].filter(Boolean).join(" · ");
}

function taskLine() {
  const badge = statusBadge();
  const anchor = taskLink();
  const note = el("span", { class: "muted note" });
  return {
    node: el("li", {}, badge.node, anchor.node, note),
    update({ task, note: words }) {
      badge.update(shownStatus(task));
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
  let total = 0;
  let open = false;
  const lines = el("ul", { class: "lines" });
  const more = button("", toggle, { class: "button quiet more" });
  const rest = el("p", { class: "muted" });

  function toggle() {
    open = !open;
    draw();
  }

  function draw() {
    const shown = Math.min(entries.length, most);
    list(lines, entries.slice(0, open ? most : few), ({ task }) => task.id, taskLine);
    show(more, entries.length > few);
    text(more, open ? "Show fewer" : `Show ${amount(shown - few)} more`);
    show(rest, (open || shown <= few) && total > shown);
    text(rest, `and ${counted(total - shown, "other")}`);
  }

  return {
    node: el("div", {}, lines, more, rest),
    /** @param {Array<{task: Object, note: string}>} wanted  the first of `all` (by default, these are all) */
    update(wanted, all = wanted.length) {
      entries = wanted;
      total = all;
      draw();
    },
  };
}
