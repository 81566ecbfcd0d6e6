// How a task is shown, wherever tasks are: its status, and itself in one line.

import { attribute, button, el, fill, list, show, svg, text } from "./dom.js";
import { amount, clip, counted, parameters, resourceNeeds, taskName } from "./format.js";
import { link } from "./router.js";

const NAME_LENGTH = 120;
const PARAMETERS_LENGTH = 200;

const CIRCLE = "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8";

/**
 * The statuses a task is shown with, in the order in which they matter to somebody looking for trouble. Those that begin
 * with UPSTREAM are PENDING tasks that cannot run before something is done about what they wait for.
 * `drawing` is path data in a box of 16 by 16; a `rare` status has a tile only while there are such tasks.
 * @type {Object<string, {label: string, hint: string, drawing: string, rare: ?boolean}>}
 */
export const STATUSES = {
  __proto__: null,
  FAILED: {
    label: "Failed",
    hint: "Failed; retried after the retry delay, or once forgiven",
    drawing: `${CIRCLE}M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4`,
  },
  DISABLED: {
    label: "Disabled",
    hint: "Failed too often, or disabled by its worker; not run until re-enabled",
    drawing: `${CIRCLE}M3.7 3.7l8.6 8.6`,
  },
  UPSTREAM_FAILED: {
    label: "Upstream failed",
    hint: "Waits for a task that failed",
    drawing: "M8 2.2l6.2 11.2H1.8zM8 6.4v3.2M8 11.5v.1",
  },
  UPSTREAM_DISABLED: {
    label: "Upstream disabled",
    hint: "Waits for a task that is disabled",
    drawing: "M8 2.2l6.2 11.2H1.8zM5.7 10.2h4.6",
  },
  UPSTREAM_MISSING_INPUT: {
    label: "Upstream missing",
    hint: "Waits for something that no worker has announced, or that must come from elsewhere",
    drawing: "M8 2.2l6.2 11.2H1.8zM6.9 7.6a1.2 1.2 0 1 1 1.5 1.5L8 10M8 11.8v.1",
    rare: true,
  },
  RUNNING: {
    label: "Running",
    hint: "Being run by a worker",
    drawing: `${CIRCLE}M6.5 5.3v5.4L10.9 8z`,
  },
  BATCH_RUNNING: {
    label: "Batch running",
    hint: "Being run as a part of a batch",
    drawing: "M2 3.2h8M2 6.2h5M2 9.2h4M8.2 7.2v6.3l5.3-3.1z",
    rare: true,
  },
  PENDING: {
    label: "Pending",
    hint: "Waits for its dependencies, a resource or a worker",
    drawing: `${CIRCLE}M8 4.6V8l2.4 1.6`,
  },
  UNKNOWN: {
    label: "Unknown",
    hint: "Something depends on it, but no worker has announced it",
    drawing: `${CIRCLE}M6.2 6.4A1.8 1.8 0 1 1 8 8.2v.9M8 11.4v.1`,
    rare: true,
  },
  DONE: {
    label: "Done",
    hint: "Complete",
    drawing: `${CIRCLE}M5.2 8.2l2 2 3.6-4.1`,
  },
};

const places = new Map(Object.keys(STATUSES).map((status, place) => [status, place]));

/** Where a status stands in the order above; those of other versions come last. */
export const rank = (status) => places.get(status) ?? places.size;

/** What a status is called. */
export const label = (status) => STATUSES[status]?.label ?? status;

/** The drawing of a status: the shapes differ, so that colour is never all that tells them apart. */
export function statusIcon(status) {
  const known = status in STATUSES ? status : "UNKNOWN";
  const line = svg("path", { d: STATUSES[known].drawing });
  return svg("svg", { viewBox: "0 0 16 16", class: `icon ${known}`, "aria-hidden": "true" }, line);
}

/** A status as icon and word. */
export function statusBadge() {
  const word = el("span", { class: "word" });
  const node = el("span", { class: "status" });
  return {
    node,
    update(status) {
      if (node.dataset.status === status) return;
      attribute(node, "data-status", status);
      attribute(node, "title", STATUSES[status]?.hint);
      text(word, label(status));
      fill(node, statusIcon(status), word);
    },
  };
}

// One task in one line, wherever tasks are listed: its status, its name as a link to its details, and a note.

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
