// The timeline: what ran when, in lanes by worker or by family. What runs, and the last run of each task, is the
// scheduler's to tell; where a history is recorded, it adds what was before. Its part of the address:
//
//   by         family; empty: by worker
//   span       how many seconds up to now are looked at; empty: an hour
//   from, to   or between which moments, epochs in seconds
//   rows       1: as a table, too
//
// Only the tasks of `family` and `worker`, as elsewhere.

import { now } from "../api.js";
import { attribute, button, el, failureNote, list, loadStyles, show, text } from "../dom.js";
import { clip } from "../format.js";
import { go, route as currentRoute } from "../router.js";
import { label, statusIcon } from "../task.js";
import { createChosen } from "./chosen.js";
import { controlBar } from "./controls.js";
import { createRuns } from "./data.js";
import { slowOf } from "./rows.js";
import { createStage } from "./stage.js";
import { runTable } from "./table.js";
import { addressOf, isOf, landed, later, windowOf } from "./window.js";
import { emptyWords, laneName, slowWords, summaryWords } from "./wording.js";

const SETTLE_MS = 250;
const FRAME_MS = 1_000;
const NAME_LENGTH = 80;
const MOST_SLOW = 6;

const LEGEND = ["DONE", "FAILED", "DISABLED", "RUNNING"];
const CUT =
  "More ran than can be shown at once: of earlier times some are missing. Zoom in on them, or choose one family.";
const HELP =
  "Drag over a time to look closer; wheel or + − zoom; Shift with drag or arrows moves. " +
  "Arrows go from run to run, Enter opens one.";

/** @param context  see app.js */
export function timelineView({ store, update }) {
  const styles = loadStyles(new URL("timeline.css", import.meta.url).href);
  const data = createRuns({ store, update });
  let view = null;
  let address = null;
  let settling = 0;
  let timer = 0;

  const hasHistory = () => store.overview?.features.history;
  const told = {
    look: lookAt,
    select: (times) => lookAt(landed(times, now())),
    point: (run) => chosen.tell(run),
    open: (run) => chosen.open(run),
    key: (event) => chosen.press(event),
    now,
    label: ({ name }) => laneName(name, currentRoute().timeline.by),
    about: (run) => (currentRoute().timeline.by === "family" ? run.id : run.family),
  };
  const stage = createStage(told, styles);
  const chosen = createChosen(stage, data, { view: () => view, lookAt });
  const controls = controlBar(stage, lookAt);
  const trouble = failureNote(data.live);
  const troubleOlder = failureNote(data.recorded);
  const cut = el("p", { class: "hint" }, CUT);
  const nothing = el("p", { class: "empty timeline-empty" });
  const help = el("p", { class: "muted timeline-help", id: "timeline-help" }, HELP);
  const slow = slowPart(chosen.open);
  const table = runTable(chosen.open);
  attribute(stage.canvas, "aria-describedby", help.id);
  attribute(stage.canvas, "aria-label", "Timeline");
  stage.node.append(nothing);
  const node = el(
    "section",
    { class: "timeline", "aria-label": "Timeline" },
    controls.node,
    trouble.node,
    troubleOlder.node,
    cut,
    el("div", { class: "timeline-frame card" }, stage.node, chosen.node),
    el("p", { class: "muted timeline-legend" }, ...LEGEND.map(legendEntry), slowEntry()),
    help,
    slow.node,
    table.node,
  );

  // ---- looking around ----

  function lookAt(wanted) {
    view = wanted;
    stage.setView(view);
    clearTimeout(settling);
    settling = setTimeout(() => go({ timeline: addressOf(view) }, { replace: true }), SETTLE_MS);
    showState(currentRoute());
  }

  // The address leads, except where it only says what is looked at already.
  function follow(timeline) {
    const wanted = JSON.stringify([timeline.span, timeline.from, timeline.to]);
    if (wanted === address) return;
    address = wanted;
    if (view && isOf(timeline, view)) return;
    clearTimeout(settling);
    view = windowOf(timeline, now());
  }

  // ---- what is shown ----

  function showState(route) {
    const shown = data.shownIn(view);
    controls.update(view, route, summaryWords(shown));
    slow.update(slowOf(shown));
    show(nothing, data.live.value && !shown.length);
    text(nothing, emptyWords(view, hasHistory()));
    show(cut, data.cut);
    show(table.node, route.timeline.rows === "1");
    if (route.timeline.rows === "1") table.update(shown);
  }

  function tickLater() {
    clearTimeout(timer);
    const moves = view.live || data.behind;
    timer = moves && document.visibilityState === "visible" ? setTimeout(update, FRAME_MS) : 0;
  }

  return {
    node,
    update(route) {
      follow(route.timeline);
      view = later(view, now());
      stage.setView(view);
      const changed = data.update(route, view);
      if (changed.lanes) stage.setLanes(data.lanes);
      chosen.update(route.task, changed.runs);
      trouble.update();
      show(troubleOlder.node, hasHistory());
      if (hasHistory()) troubleOlder.update();
      showState(route);
      tickLater();
    },
    leave() {
      clearTimeout(timer);
      clearTimeout(settling);
    },
  };
}

// ---- small parts ----

function slowPart(open) {
  const lines = el("ul", { class: "lines timeline-slow" });
  const heading = el("h2", {}, "Longer than usual");
  const node = el("section", { class: "card block", "aria-label": heading.textContent }, heading, lines);
  return {
    node,
    /** @param {Array} runs  those that take longer than usual */
    update(runs) {
      show(node, runs.length);
      list(
        lines,
        runs.slice(0, MOST_SLOW),
        ({ id, start }) => `${id} ${start}`,
        () => slowLine(open),
      );
    },
  };
}

function slowLine(open) {
  const press = button("", () => open(shown), { class: "text-link timeline-open" });
  const note = el("span", { class: "muted note" });
  let shown = null;
  return {
    node: el("li", {}, statusIcon("RUNNING"), press, note),
    update(run) {
      shown = run;
      text(press, clip(run.id, NAME_LENGTH));
      text(note, slowWords(run));
    },
  };
}

function legendEntry(status) {
  return el(
    "span",
    { "data-status": status },
    el("i", { class: `swatch ${status}`, "aria-hidden": "true" }),
    label(status),
  );
}

const slowEntry = () => el("span", {}, el("i", { class: "swatch slow", "aria-hidden": "true" }), "Longer than usual");
