// All about a family: how often and how well it runs, how long that takes, over time and on the whole, and what fails.

import { ask, lookup } from "../api.js";
import {
  axisDuration,
  bins,
  bottomAxis,
  chart,
  durationTicks,
  linear,
  logarithmic,
  magnitudeTicks,
  markLine,
  nearest,
  outcomeColumns,
  timeTicks,
  valueAxis,
} from "../chart.js";
import { attribute, el, failureNote, list, show, svg, text } from "../dom.js";
import { NOTHING } from "../figures.js";
import { amount, clip, counted, took } from "../format.js";
import { go, link } from "../router.js";
import { label } from "../task.js";
import { failuresTable } from "./failures.js";
import { percent, runMark, runWords, toRun } from "./wording.js";

const NAME_LENGTH = 200;
const LENGTHS = ["50", "200", "1000"];
const USUAL_LENGTH = "200";
const CLASSES = 24;
const FAR = 20;
const CLOSE_PX = 16;
const REACH_PX = 24;
const LEAST_SHOWN = 0.001; // seconds, where lengths of time stand by orders of magnitude

/** @param {function()} update  of the page */
export function familyPart(update) {
  const facts = lookup((fields, signal) => ask("history/family", fields, signal), update, { keep: true });
  const trouble = failureNote(facts);
  const title = el("h2");
  const tasks = el("a", { class: "button small" }, "Its tasks");
  const runs = el("a", { class: "button small" }, "All its runs");
  const line = el("a", { class: "button small" }, "Timeline");
  const figures = el("dl", { class: "figures wide-figures" });
  const durations = durationsChart();
  const distribution = chart("How long runs took", 200, drawDistribution);
  const failures = failuresTable(update);
  const body = el(
    "div",
    { class: "stack" },
    el("section", { class: "card block" }, figures),
    el("section", { class: "card block" }, durations.node),
    el("section", { class: "card block" }, distribution.node),
    el("section", { class: "card block" }, el("h2", {}, "Failures by message"), failures.node),
  );
  return {
    node: el(
      "div",
      { class: "stack" },
      el("header", { class: "history-head" }, title, runs, tasks, line),
      trouble.node,
      body,
    ),
    update({ family, history: { last, scale } }, version) {
      const length = LENGTHS.includes(last) ? last : USUAL_LENGTH;
      facts.update({ family, last: length }, version);
      trouble.update();
      text(title, clip(family, NAME_LENGTH));
      attribute(runs, "href", link({ history: { part: "", after: "" } }));
      attribute(tasks, "href", link({ tab: "tasks", page: 1 }));
      attribute(line, "href", link({ tab: "timeline" }));
      show(body, facts.value);
      if (!facts.value) return;
      const of = { ...facts.value, byMagnitude: scale ? scale === "log" : isWide(facts.value.durations), length };
      list(figures, figuresOf(of), ({ name }) => name, figure);
      durations.update(of);
      distribution.update(of, distributionWords(of));
      failures.update(family, version);
    },
  };
}

// Whether on an even scale nothing could be told of most runs.
const isWide = (durations) => durations !== null && durations.max > FAR * durations.median;

function figuresOf({ runs, done, failed, success_rate: rate, durations: of }) {
  const figures = [
    ["Runs", amount(runs)],
    ["Succeeded", amount(done)],
    ["Failed", amount(failed)],
    ["Success rate", percent(rate)],
  ];
  for (const [name, fact] of [
    ["Median", "median"],
    ["90 % within", "p90"],
    ["99 % within", "p99"],
    ["Longest", "max"],
  ]) {
    figures.push([name, of ? took(of[fact]) : NOTHING]);
  }
  return figures.map(([name, value]) => ({ name, value }));
}

function figure({ name }) {
  const value = el("dd");
  return { node: el("div", {}, el("dt", {}, name), value), update: (entry) => text(value, entry.value) };
}

// -- durations over time: a mark for each run, to be pointed at, or gone along by arrow keys

function durationsChart() {
  const inner = chart("Durations over time", 280, draw);
  const log = el("input", {
    type: "checkbox",
    onchange: () => go({ history: { scale: log.checked ? "log" : "even" } }),
  });
  const last = el(
    "select",
    { "aria-label": "How many runs", onchange: () => go({ history: { last: last.value } }) },
    ...LENGTHS.map((n) => el("option", { value: n }, `last ${amount(Number(n))} runs`)),
  );
  const legend = el("p", { class: "muted legend" }, ...["DONE", "FAILED", "DISABLED"].map(legendEntry));
  const check = el("label", { class: "check muted" }, log, "by orders of magnitude");
  const said = el("p", { class: "chart-said muted", role: "status" });
  const ring = svg("circle", { r: 8, class: "ring" });
  let marks = [];
  let chosen = null;
  let left = true;
  inner.node.firstChild.replaceWith(el("header", {}, el("h2", {}, "Durations over time"), last, check));
  inner.node.append(legend, said);
  attribute(inner.stage, "tabindex", "0");
  attribute(inner.stage, "role", "application");
  attribute(inner.stage, "aria-label", "Durations over time: arrows go from run to run, Enter opens one");
  inner.stage.addEventListener("pointermove", (event) => choose(markAt(event)));
  inner.stage.addEventListener("pointerleave", () => choose(null));
  inner.stage.addEventListener("click", (event) => open(markAt(event)));
  inner.stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) choose(marks[(marks.indexOf(chosen) + step + marks.length) % marks.length]);
    else if (event.key === "Enter") open(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function markAt(event) {
    const bounds = inner.picture.getBoundingClientRect();
    return nearest(marks, event.clientX - bounds.left, event.clientY - bounds.top, REACH_PX);
  }

  function choose(mark) {
    chosen = mark ?? null;
    show(ring, mark);
    inner.stage.style.cursor = mark ? "pointer" : "";
    text(said, mark ? runWords(mark.run) : usage());
    if (mark) for (const [name, value] of Object.entries({ cx: mark.x, cy: mark.y })) attribute(ring, name, value);
  }

  const usage = () => (left ? "Point at a run, or use the arrow keys; a click or Enter opens it." : "");
  const open = (mark) => mark && go(toRun(mark.run.run_id));

  function draw(room, { last: shown, durations, byMagnitude }) {
    const runs = shown.filter(({ duration }) => duration !== null).reverse();
    left = runs.length > 0;
    if (!left) return [];
    const across = linear(...spread(runs.map(({ started }) => started)), room.left + 8, room.right - 8);
    const most = Math.max(...runs.map(({ duration }) => duration));
    const least = Math.max(LEAST_SHOWN, Math.min(...runs.map(({ duration }) => duration)) / 1.5);
    const up = byMagnitude
      ? logarithmic(least, Math.max(most * 1.2, least * 10), room.bottom, room.top)
      : linear(0, most * 1.08 || 1, room.bottom, room.top);
    const ticks = byMagnitude ? magnitudeTicks(least, most * 1.2) : durationTicks(most * 1.08, 5);
    marks = runs.map((run) => ({ run, x: across(run.started), y: up(run.duration) }));
    const known = chosen && marks.find(({ run }) => run.run_id === chosen.run.run_id);
    choose(known);
    const size = runs.length > 300 ? 2.5 : 4;
    const [from, to] = spread(runs.map(({ started }) => started));
    return [
      ...valueAxis(room, up, ticks, axisDuration),
      ...bottomAxis(room, across, timeTicks(from, to, (room.right - room.left) / 90)),
      ...marks.map(({ run, x, y }) => runMark(run.status, x, y, size)),
      ...(durations ? usualLines(room, up, durations) : []),
      ring,
    ];
  }

  return {
    node: inner.node,
    update(facts) {
      log.checked = facts.byMagnitude;
      last.value = facts.length;
      const bad = facts.last.filter(({ status }) => status !== "DONE").length;
      inner.update(facts, `${counted(facts.last.length, "run")}, ${amount(bad)} of them failed`);
    },
  };
}

// The words of the lower one stand below it where the two are close.
function usualLines(room, up, { median, p90 }) {
  const below = up(median) - up(p90) < CLOSE_PX;
  return [
    ...markLine(room, up, p90, `90 % within ${took(p90)}`, "p90"),
    ...markLine(room, up, median, `median ${took(median)}`, "median", below),
  ];
}

// Where all is at one moment, a scale needs some room around it.
function spread(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? [least - 1, most + 1] : [least, most];
}

function legendEntry(status) {
  const mark = svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, runMark(status, 6, 6));
  return el("span", {}, mark, ` ${label(status)}`);
}

// -- their distribution

function classesOf({ last, byMagnitude }) {
  const runs = last.filter(({ duration }) => duration !== null);
  return bins(runs, ({ duration }) => Math.max(LEAST_SHOWN, duration), CLASSES, byMagnitude);
}

function distributionWords(facts) {
  const classes = classesOf(facts);
  if (!classes.length) return "no run has ended";
  const fullest = classes.reduce((best, each) => (each.values.length > best.values.length ? each : best));
  return `most runs, ${amount(fullest.values.length)}, took ${took(fullest.from)} to ${took(fullest.to)}`;
}

function drawDistribution(room, facts) {
  const classes = classesOf(facts);
  if (!classes.length) return [];
  const [from, to] = [classes[0].from, classes.at(-1).to];
  const own = from === to ? [from * 0.9, to * 1.1] : [from, to];
  const across = (facts.byMagnitude ? logarithmic : linear)(...own, room.left, room.right);
  const columns = classes.map(({ from: low, to: high, values }) => {
    const failed = values.filter(({ status }) => status !== "DONE").length;
    const words = `${took(low)} to ${took(high)}: ${values.length - failed} succeeded, ${failed} failed`;
    const edges = low === high ? own : [low, high];
    return { from: edges[0], to: edges[1], done: values.length - failed, failed, words };
  });
  const ticks = facts.byMagnitude ? magnitudeTicks(...own) : durationTicks(own[1], (room.right - room.left) / 90);
  const words = ticks.filter((at) => at >= own[0]).map((at) => ({ at, words: axisDuration(at) }));
  return [...outcomeColumns(room, columns, across), ...bottomAxis(room, across, words)];
}
