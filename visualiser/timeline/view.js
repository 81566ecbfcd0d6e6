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
import { amount, clip, counted, duration, exact, took, workerName } from "../format.js";
import { go, link, route as currentRoute } from "../router.js";
import { label, statusIcon } from "../task.js";
import { createRuns } from "./data.js";
import { createStage } from "./stage.js";
import { runTable } from "./table.js";
import { addressOf, following, landed, later, windowOf } from "./window.js";

const SETTLE_MS = 250;
const FRAME_MS = 1_000;
const NAME_LENGTH = 80;
const MOST_SLOW = 6;

const SPANS = [
  [300, "5 minutes"],
  [900, "15 minutes"],
  [3600, "hour"],
  [6 * 3600, "6 hours"],
  [86400, "day"],
  [7 * 86400, "week"],
  [30 * 86400, "30 days"],
];

const LEGEND = ["DONE", "FAILED", "DISABLED", "RUNNING"];

/** @param context  see app.js */
export function timelineView({ store, update }) {
  const styles = loadStyles(new URL("timeline.css", import.meta.url).href);
  const data = createRuns({ store, update });
  let view = null;
  let chosen = null;
  let settling = 0;
  let timer = 0;
  let address = null;

  const told = {
    look: lookAt,
    select: (times) => lookAt(landed(times, now())),
    point: (run) => tellOf(run ?? chosen),
    open,
    key: (event) => Boolean(STAGE_KEYS[event.key]?.()),
    now,
    label: ({ name }) => laneName(name, currentRoute().timeline.by),
    about: (run) => (currentRoute().timeline.by === "family" ? run.id : run.family),
  };
  const stage = createStage(told, styles);

  // ---- the controls ----

  const by = choice(
    "Lanes",
    [
      ["", "By worker"],
      ["family", "By family"],
    ],
    (value) => go({ timeline: { by: value } }),
  );
  const spans = [["", ""], ...SPANS.map(([seconds, words]) => [String(seconds), `last ${words}`])];
  const span = choice("Time shown", spans, (value) => value && lookAt(following(Number(value), now())));
  const step = (words, name, deed) => button(words, deed, { class: "button", "aria-label": name, title: name });
  const pans = [
    step("◂", "Earlier", stage.earlier),
    step("▸", "Later", stage.later),
    step("+", "Zoom in", stage.zoomIn),
    step("−", "Zoom out", stage.zoomOut),
  ];
  const follow = button("Follow now", () => lookAt(following(view.to - view.from, now())), { class: "button" });
  const rowsBox = el("input", {
    type: "checkbox",
    onchange: () => go({ timeline: { rows: rowsBox.checked ? "1" : "" } }),
  });
  const asTable = el("label", { class: "check" }, rowsBox, "Table");
  const chips = el("div", { class: "chips" });
  const summary = el("p", { class: "muted timeline-summary", role: "status" });
  const slow = el("ul", { class: "lines timeline-slow" });
  const slowPart = el(
    "section",
    { class: "card block", "aria-label": "Longer than usual" },
    el("h2", {}, "Longer than usual"),
    slow,
  );
  const about = el("p", { class: "muted timeline-about", "aria-live": "polite" });
  const notice = el("p", { class: "hint" });
  const nothing = el("p", { class: "empty timeline-empty" });
  const help = el(
    "p",
    { class: "muted timeline-help", id: "timeline-help" },
    "Drag over a time to look closer; wheel or + − zoom; Shift with drag or arrows moves. " +
      "Arrows go from run to run, Enter opens one.",
  );
  attribute(stage.canvas, "aria-describedby", "timeline-help");
  attribute(stage.canvas, "aria-label", "Timeline");
  stage.node.append(nothing);
  const trouble = failureNote(data.live);
  const troubleOlder = failureNote(data.recorded);
  const table = runTable(open);
  const node = el(
    "section",
    { class: "timeline", "aria-label": "Timeline" },
    el(
      "div",
      { class: "timeline-controls card" },
      by.node,
      span.node,
      el("div", { class: "timeline-steps", role: "group", "aria-label": "Look around" }, ...pans),
      follow,
      asTable,
      chips,
      summary,
    ),
    trouble.node,
    troubleOlder.node,
    notice,
    el("div", { class: "timeline-frame card" }, stage.node, about),
    el("p", { class: "muted timeline-legend" }, ...LEGEND.map(legendEntry), slowEntry()),
    help,
    slowPart,
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
  function follows(timeline) {
    const wanted = JSON.stringify([timeline.span, timeline.from, timeline.to]);
    if (wanted === address) return;
    address = wanted;
    const { span: length, from, to } = view ? addressOf(view) : {};
    if (view && wanted === JSON.stringify([String(length), from, to])) return;
    clearTimeout(settling);
    view = windowOf(timeline, now());
    stage.setView(view);
  }

  function open(run) {
    chosen = run;
    stage.mark(run);
    if (run.number !== null && !run.known) go({ tab: "history", history: { run: String(run.number), of: "" } });
    else go({ task: run.id });
  }

  function tellOf(run) {
    text(about, run ? runWords(run) : "");
  }

  function choose(run) {
    if (!run) return true;
    chosen = run;
    stage.see(run);
    tellOf(run);
    const margin = (view.to - view.from) * 0.05;
    if (run.start < view.from || run.start > view.to - margin) {
      const half = (view.to - view.from) / 2;
      lookAt(landed({ from: run.start - half, to: run.start + half }, now()));
    }
    return true;
  }

  const shownRuns = () => data.shownIn(view);
  const laneOf = (run) => data.lanes.findIndex(({ runs }) => runs.includes(run));
  const start = () => shownRuns().at(-1);

  function along(by) {
    if (!chosen) return choose(start());
    const all = data.lanes[laneOf(chosen)]?.runs ?? [];
    return choose(all[all.indexOf(chosen) + by]);
  }

  function across(by) {
    if (!chosen) return choose(start());
    const lane = data.lanes[laneOf(chosen) + by];
    if (!lane) return true;
    const away = (run) => Math.abs(run.start - chosen.start);
    return choose(lane.runs.reduce((best, run) => (away(run) < away(best) ? run : best)));
  }

  // The task in the panel is the one that is marked, wherever it was opened.
  function followTask(id) {
    if (!id || chosen?.id === id) return;
    const run = data.runs.findLast((each) => each.id === id);
    if (!run) return;
    chosen = run;
    stage.see(run);
  }

  const STAGE_KEYS = {
    __proto__: null,
    ArrowLeft: () => along(-1),
    ArrowRight: () => along(1),
    ArrowUp: () => across(-1),
    ArrowDown: () => across(1),
    Home: () => choose(shownRuns()[0]),
    End: () => choose(start()),
    Enter: () => chosen && (open(chosen), true),
    0: () => (lookAt(windowOf({}, now())), true),
    Escape() {
      if (!chosen || currentRoute().task) return false;
      chosen = null;
      stage.mark(null);
      tellOf(null);
      return true;
    },
  };

  // ---- what is shown ----

  function arrange(route) {
    const changed = data.update(route, view);
    if (changed.runs && chosen) {
      chosen = data.runs.find(({ id, start }) => id === chosen.id && Math.abs(start - chosen.start) < 1) ?? null;
    }
    if (changed.lanes) stage.setLanes(data.lanes);
    stage.mark(chosen);
    followTask(route.task);
  }

  function showState(route) {
    const shown = shownRuns();
    const slowOnes = shown
      .filter((run) => run.slow)
      .sort((a, b) => (a.end === null ? -1 : 0) - (b.end === null ? -1 : 0) || b.start - a.start);
    text(summary, summaryWords(shown, slowOnes));
    show(slowPart, slowOnes.length);
    const keys = slowOnes.slice(0, MOST_SLOW).map((run) => ({ run, key: `${run.id} ${run.start}` }));
    list(
      slow,
      keys,
      ({ key }) => key,
      () => slowLine(open),
    );
    show(nothing, data.live.value && !shown.length);
    text(nothing, emptyWords(store, view));
    show(notice, data.cut);
    text(
      notice,
      `More ran than can be shown at once: of earlier times some are missing. Zoom in on them, or choose one family.`,
    );
    show(follow, !view.live);
    const length = String(Math.round(view.to - view.from));
    const known = SPANS.some(([seconds]) => String(seconds) === length);
    text(
      span.node.options[0],
      view.live ? `last ${duration(view.to - view.from)}` : `${exact(view.from)}, ${duration(view.to - view.from)}`,
    );
    span.update(view.live && known ? length : "");
    show(span.node.options[0], !(view.live && known));
    by.update(route.timeline.by === "family" ? "family" : "");
    rowsBox.checked = route.timeline.rows === "1";
    list(chips, chipsOf(route), ({ name }) => name, chip);
    show(table.node, rowsBox.checked);
    if (rowsBox.checked) table.update(shown);
  }

  function tickLater() {
    clearTimeout(timer);
    const moves = view.live || data.behind;
    timer = moves && document.visibilityState === "visible" ? setTimeout(update, FRAME_MS) : 0;
  }

  return {
    node,
    update(route) {
      follows(route.timeline);
      view = later(view, now());
      stage.setView(view);
      arrange(route);
      trouble.update();
      show(troubleOlder.node, store.overview?.features.history);
      if (store.overview?.features.history) troubleOlder.update();
      showState(route);
      tickLater();
    },
    leave() {
      clearTimeout(timer);
      clearTimeout(settling);
    },
  };
}

// -- words

const laneName = (name, by) => (by === "family" ? name : name ? workerName({ name }) : "no worker known");

function runWords({ id, family, worker, status, start, end, slow, usual }) {
  const lasted = took((end ?? now()) - start);
  const where = worker ? ` on ${clip(workerName({ name: worker }), NAME_LENGTH)}` : "";
  const late = slow ? `; longer than usual, which is ${took(usual)}` : "";
  const name = id.startsWith(family) ? id : `${family} ${id}`;
  const time = `${end === null ? `for ${lasted}` : lasted} from ${exact(start)}`;
  return `${clip(name, 2 * NAME_LENGTH)}: ${label(status)}, ${time}${where}${late}`;
}

function summaryWords(shown, slow) {
  const count = (test) => shown.filter(test).length;
  const bad = count(({ status }) => status === "FAILED" || status === "DISABLED");
  const going = count(({ end }) => end === null);
  const parts = [counted(shown.length, "run"), `${amount(going)} running`, `${amount(bad)} failed`];
  if (slow.length) parts.push(`${amount(slow.length)} longer than usual`);
  return parts.join(" · ");
}

function emptyWords({ overview }, { live }) {
  if (live) return "Nothing ran in this time.";
  if (overview?.features.history) return "Nothing ran in this time that is still known.";
  return "Nothing that ran in this time is still known: with [scheduler] record_task_history = true, it would be.";
}

// -- small parts

function choice(name, options, chosen) {
  const entries = options.map(([value, words]) => el("option", { value }, words));
  const node = el("select", { "aria-label": name, onchange: () => chosen(node.value) }, ...entries);
  return {
    node,
    update(value) {
      if (node.value !== value) node.value = value;
    },
  };
}

const chipsOf = ({ family, worker }) =>
  [
    family && { name: "family", words: family },
    worker && { name: "worker", words: `on ${workerName({ name: worker })}` },
  ].filter(Boolean);

function chip({ name }) {
  const words = el("span");
  const node = button("", () => go({ [name]: "" }), { class: "chip" });
  node.append(words, el("span", { "aria-hidden": "true" }, "×"));
  return {
    node,
    update({ words: said }) {
      text(words, clip(said, NAME_LENGTH));
      attribute(node, "aria-label", `Remove filter: ${clip(said, NAME_LENGTH)}`);
    },
  };
}

function slowLine(open) {
  const press = button("", () => open(shown), { class: "text-link timeline-open" });
  const note = el("span", { class: "muted note" });
  let shown = null;
  return {
    node: el("li", {}, statusIcon("RUNNING"), press, note),
    update({ run }) {
      shown = run;
      text(press, clip(run.id, NAME_LENGTH));
      const lasted = duration((run.end ?? now()) - run.start);
      text(note, `${run.end === null ? `running for ${lasted}` : `took ${lasted}`}, usually ${took(run.usual)}`);
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
