// The runs of the timeline as a table: the same as in the drawing, a page of them at a time.

import { button, el, list, show, text } from "../dom.js";
import { clip, exact, took, workerName } from "../format.js";
import { now } from "../api.js";
import { pageOf, pager } from "../table.js";
import { statusBadge } from "../task.js";

const PER_PAGE = 50;
const NAME_LENGTH = 200;

/** @param {function(Object)} open  called with the run that was clicked */
export function runTable(open) {
  const body = el("tbody");
  const headings = ["Status", "Task", "Worker", "Began", "Took"].map((title) => el("th", { scope: "col" }, title));
  const caption = el("caption", { class: "offscreen" }, "Runs of this time");
  const table = el("table", { class: "figure-table" }, caption, el("thead", {}, el("tr", {}, ...headings)), body);
  const scroll = el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs of this time" },
    table,
  );
  const nothing = el("p", { class: "muted" }, "Nothing ran in this time.");
  let [page, shown] = [1, []];
  const pages = pager((number) => {
    page = number;
    draw();
  });

  function draw() {
    const at = pageOf(shown, page, PER_PAGE);
    list(
      body,
      at.items,
      ({ id, start }) => `${id} ${start}`,
      () => row(open),
    );
    show(scroll, shown.length);
    show(nothing, !shown.length);
    pages.update(at);
  }

  return {
    node: el("section", { class: "card block", "aria-label": "As a table" }, scroll, nothing, pages.node),
    /** @param {Array} runs  by start */
    update(runs) {
      shown = [...runs].reverse();
      draw();
    },
  };
}

function row(open) {
  const badge = statusBadge();
  const press = button("", () => open(run), { class: "text-link timeline-open" });
  const [worker, began, lasted] = [el("td"), el("td"), el("td")];
  const node = el("tr", {}, el("td", {}, badge.node), el("td", {}, press), worker, began, lasted);
  let run = null;
  return {
    node,
    update(wanted) {
      run = wanted;
      badge.update(run.status);
      text(press, clip(run.id, NAME_LENGTH));
      text(worker, run.worker ? clip(workerName({ name: run.worker }), NAME_LENGTH) : "");
      text(began, exact(run.start));
      const late = run.slow ? `, longer than usual (${took(run.usual)})` : "";
      const seconds = (run.end ?? now()) - run.start;
      text(lasted, `${took(seconds)}${run.end === null ? " so far" : ""}${late}`);
    },
  };
}
