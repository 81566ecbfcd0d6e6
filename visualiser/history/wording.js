// What the parts of the history have in common.

import { attribute, el, svg, text, timeElement } from "../dom.js";
import { NOTHING } from "../figures.js";
import { clip, exact, parameters, percentOf, took } from "../format.js";
import { link } from "../router.js";
import { label, statusBadge } from "../task.js";

const NAME_LENGTH = 120;
const PARAMETERS_LENGTH = 200;

/** The route of all about a run. */
export const toRun = (number) => ({ tab: "history", history: { run: String(number), of: "" } });

/** The route of all about a family. */
export const toFamily = (family) => ({
  tab: "history",
  family,
  history: { part: "family", run: "", of: "", after: "" },
});

/** How long a run took, in words; `otherwise` if it has not ended, or never began. */
export const tookWords = ({ duration }, otherwise = NOTHING) => (duration === null ? otherwise : took(duration));

/** "93.5 %" of a share from 0 to 1, or null. */
export const percent = (share) => (share === null ? NOTHING : percentOf(share));

/** A run in one sentence. */
export function runWords({ status, started, duration, host }) {
  const where = host ? ` on ${clip(host, NAME_LENGTH)}` : "";
  return `${label(status)}, took ${tookWords({ duration })}, began ${exact(started)}${where}`;
}

/** A link to a run: its family and its parameters. */
export function runLink() {
  const name = el("span", { class: "task-name" });
  const params = el("span", { class: "task-params" });
  const node = el("a", { class: "task-link" }, name, " ", params);
  return {
    node,
    update(run) {
      attribute(node, "href", link(toRun(run.run_id)));
      attribute(node, "title", clip(run.task_id, 1000));
      text(name, clip(run.family, NAME_LENGTH));
      text(params, clip(run.params ? parameters(run) : run.task_id, PARAMETERS_LENGTH));
    },
  };
}

/** A run in one line of a list: how it went, what it was, when, and how long it took. */
export function runLine() {
  const badge = statusBadge();
  const anchor = runLink();
  const time = timeElement();
  const lasted = el("span");
  const note = el("span", { class: "muted note" }, time.node, lasted);
  return {
    node: el("li", {}, badge.node, anchor.node, note),
    update(run) {
      badge.update(run.status);
      anchor.update(run);
      time.update(run.started ?? run.scheduled);
      text(lasted, run.duration === null ? "" : `, took ${took(run.duration)}`);
    },
  };
}

/** How a run stands in a drawing: a dot, a cross, a square or a ring around (x, y). */
export function runMark(status, x, y, size = 4) {
  const draw = MARKS[status] ?? MARKS.RUNNING;
  return svg("path", { d: draw(x, y, size), class: `run-mark ${status}`, "data-status": status });
}

const MARKS = {
  __proto__: null,
  DONE: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  FAILED: (x, y, r) => `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x + r} ${y - r}l${-2 * r} ${2 * r}`,
  DISABLED: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  RUNNING: (x, y, r) => `M${x - r} ${y - r}l${2 * r} ${r}l${-2 * r} ${r}z`,
};
