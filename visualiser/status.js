// The statuses a task is shown with, in the order in which they matter to somebody looking for trouble. Those that begin
// with UPSTREAM are PENDING tasks that cannot run before something is done about what they wait for.

import { attribute, el, fill, svg, text } from "./dom.js";

const CIRCLE = "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8";

/**
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
