// All about one run: how it went, the task's other attempts on a line of time, its parameters, what it said when it
// failed, the command that runs it again, and the runs before and after it in the graph.

import { ask, call, lookup, now } from "../api.js";
import { bottomAxis, chart, linear, timeTicks } from "../chart.js";
import { offerCopy } from "../copy.js";
import { attribute, el, failureNote, list, show, svg, text, timeElement } from "../dom.js";
import { clip, command, counted, exact, plain, took, workerName } from "../format.js";
import { link } from "../router.js";
import { label, statusBadge } from "../task.js";
import { runLine, runMark, toFamily } from "./wording.js";

const LONGEST = 20_000;
const NAME_LENGTH = 300;
const MOST_ATTEMPTS = 30;
const LINE_PX = 22;

/** @param {function()} update  of the page */
export function runPart(update) {
  const facts = lookup(readRun, update);
  const trouble = failureNote(facts);
  const parts = [
    headPart(),
    attemptsPart(),
    failurePart(),
    againPart(),
    factsPart(),
    parametersPart(),
    neighboursPart("Depended on", "upstream"),
    neighboursPart("Needed by", "downstream"),
  ];
  const [head, ...others] = parts;
  const body = el("div", { class: "run-parts" }, ...others.map(({ node }) => node));
  return {
    node: el("div", { class: "stack" }, trouble.node, head.node, body),
    update({ history: { run, of } }, version) {
      // A run that has ended stays as it is, but for its later attempts.
      facts.update(of ? { task_id: of } : { run_id: run }, version);
      trouble.update();
      for (const { node } of parts) show(node, facts.value);
      if (facts.value) for (const part of parts) part.update(facts.value);
    },
  };
}

// Which module a task is from is known to the scheduler only, for as long as it knows the task.
async function readRun(question, signal) {
  const run = await ask("history/run", question, signal);
  const task = await call("task", { task_id: run.task_id }, signal);
  return { ...run, module: task?.module ?? null, known: task !== null };
}

function headPart() {
  const badge = statusBadge();
  const time = timeElement();
  const lasted = el("span", { class: "muted" });
  const title = el("h2");
  const id = el("code");
  const copyId = offerCopy("Copy", "The task id", { "aria-label": "Copy the task id" });
  const family = el("a", { class: "button small" }, "Its family");
  const task = el("a", { class: "button small" }, "The task now");
  const graph = el("a", { class: "button small" }, "Graph");
  const around = el("a", { class: "button small" }, "Timeline");
  return {
    node: el(
      "header",
      { class: "card block run-head" },
      el("p", { class: "run-state" }, badge.node, el("span", { class: "muted" }, "· ", time.node), lasted),
      title,
      el("p", { class: "task-id" }, id, " ", copyId.node),
      el("div", { class: "actions" }, family, task, graph, around),
    ),
    update(run) {
      badge.update(run.status);
      time.update(run.finished ?? run.started ?? run.scheduled);
      text(lasted, run.duration === null ? "" : `· took ${took(run.duration)}`);
      text(title, clip(run.family, NAME_LENGTH));
      text(id, clip(run.task_id, NAME_LENGTH));
      copyId.update(run.task_id);
      attribute(family, "href", link(toFamily(run.family)));
      show(task, run.known);
      attribute(task, "href", link({ task: run.task_id }));
      show(graph, run.known);
      attribute(graph, "href", link({ tab: "graph", graph: { taskId: run.task_id } }));
      attribute(around, "href", link({ tab: "timeline", family: "", worker: "", timeline: spanAround(run) }));
    },
  };
}

function spanAround({ scheduled, started, finished }) {
  const from = started ?? scheduled;
  const to = finished ?? from;
  const margin = Math.max(60, 2 * (to - from));
  return { span: "", from: (from - margin).toFixed(), to: (to + margin).toFixed() };
}

// -- attempts

function attemptsPart() {
  const inner = chart("Attempts", LINE_PX, draw);
  const lines = el("ol", { class: "lines" });
  const node = el("section", { class: "card block wide" }, inner.node, lines);

  function draw(room, { attempts, run }) {
    const from = Math.min(...attempts.map(({ scheduled }) => scheduled));
    const to = Math.max(from + 1, ...attempts.map(endOf));
    const across = linear(from, to, 26, room.right);
    const y = (place) => place * LINE_PX + LINE_PX / 2 + 6;
    attribute(inner.picture, "height", attempts.length * LINE_PX + 34);
    attribute(inner.picture, "viewBox", `0 0 ${room.width} ${attempts.length * LINE_PX + 34}`);
    const bottom = { ...room, bottom: attempts.length * LINE_PX + 8 };
    const bars = attempts.flatMap((each, place) => attemptBar(each, across, y(place), each.run_id === run));
    return [...bars, ...bottomAxis(bottom, across, timeTicks(from, to, room.width / 110))];
  }

  return {
    node,
    update({ attempts, run_id: run }) {
      const shown = attempts.slice(0, MOST_ATTEMPTS).reverse();
      const failed = attempts.filter(({ status }) => status === "FAILED" || status === "DISABLED").length;
      inner.update(
        { attempts: shown, run },
        `${counted(attempts.length, "attempt")}, ${failed} failed; thin: waiting, thick: running`,
      );
      list(
        lines,
        shown.map((each) => ({ ...each, current: each.run_id === run })),
        (each) => each.run_id,
        attemptLine,
      );
    },
  };
}

// What runs has got as far as now; of what the history lost sight of, nothing is known but its start.
function endOf({ status, scheduled, started, finished }) {
  return finished ?? (status === "RUNNING" ? now() : (started ?? scheduled));
}

function attemptBar(attempt, across, y, current) {
  const { status, scheduled, started } = attempt;
  const begin = across(scheduled);
  const start = across(started ?? endOf(attempt));
  const end = started === null ? start : Math.max(start + 3, across(endOf(attempt)));
  const waited = svg("line", { x1: begin, x2: start, y1: y, y2: y, class: "waited" });
  const ran = svg("rect", {
    x: start,
    y: y - 6,
    width: Math.max(0, end - start),
    height: 12,
    rx: 3,
    class: "ran",
    "data-status": status,
  });
  const mark = runMark(status, 11, y);
  const around = svg("rect", { x: 1, y: y - LINE_PX / 2, width: "100%", height: LINE_PX, class: "current-attempt" });
  return [current ? around : null, waited, ran, mark].filter(Boolean);
}

function attemptLine(run) {
  const line = runLine();
  const reason = el("span", { class: "muted reason" });
  line.node.querySelector("a").after(reason);
  return {
    node: line.node,
    update(each) {
      attribute(line.node, "aria-current", each.current && "true");
      line.update({ ...each, family: `Attempt of ${exact(each.scheduled)}`, params: {} });
      text(reason, clip([each.host, each.message ?? each.reason].filter(Boolean).join(": "), NAME_LENGTH));
    },
  };
}

// -- what it said, and how to run it again

function failurePart() {
  const trace = el("pre", { class: "trace", tabindex: "0", role: "region", "aria-label": "Error" });
  const copyTrace = offerCopy("Copy error", "The error");
  const inner = el(
    "section",
    { class: "card block wide" },
    el("header", {}, el("h2", {}, "Error"), copyTrace.node),
    trace,
  );
  const node = el("div", { class: "wide" }, inner);
  return {
    node,
    update({ error }) {
      show(inner, error);
      text(trace, clip(plain(error ?? ""), LONGEST));
      copyTrace.update(plain(error ?? ""));
    },
  };
}

function againPart() {
  const again = el("pre", { class: "command", tabindex: "0", role: "region", "aria-label": "Command to run it again" });
  const copyCommand = offerCopy("Copy command", "The command");
  const hint = el(
    "p",
    { class: "muted" },
    "MODULE is the Python module that the task is in: the scheduler no longer knows it.",
  );
  return {
    node: el(
      "section",
      { class: "card block wide" },
      el("header", {}, el("h2", {}, "Run it again"), copyCommand.node),
      again,
      hint,
    ),
    update({ family, params, module }) {
      const words = command({ taskModule: module ?? "MODULE", taskFamily: family, taskParams: params });
      text(again, clip(words, LONGEST));
      copyCommand.update(words);
      show(hint, module === null);
    },
  };
}

// -- facts

const FACTS = {
  Host: ({ host }) => host,
  Worker: ({ worker }) => worker && workerName({ name: worker }),
  Reason: ({ reason }) => reason,
  Scheduled: ({ scheduled }) => exact(scheduled),
  Started: ({ started }) => started !== null && exact(started),
  Waited: ({ scheduled, started }) => started !== null && took(started - scheduled),
  Finished: ({ finished }) => finished !== null && exact(finished),
  Took: ({ duration }) => duration !== null && took(duration),
  Module: ({ module }) => module,
  "Run number": ({ run_id: number }) => String(number),
  Events: ({ events }) => events.map(({ event, time }) => `${label(event)} ${exact(time)}`).join("\n"),
};

function factsPart() {
  const facts = el("dl", { class: "facts" });
  return {
    node: el("section", { class: "card block" }, el("h2", {}, "Facts"), facts),
    update(run) {
      const entries = Object.entries(FACTS).map(([name, of]) => [name, of(run)]);
      list(
        facts,
        entries.filter(([, value]) => value),
        ([name]) => name,
        definition,
      );
    },
  };
}

function parametersPart() {
  const facts = el("dl", { class: "facts" });
  const nothing = el("p", { class: "muted" }, "It has none.");
  return {
    node: el("section", { class: "card block" }, el("h2", {}, "Parameters"), facts, nothing),
    update({ params }) {
      const entries = Object.entries(params);
      show(nothing, !entries.length);
      list(facts, entries, ([name]) => name, definition);
    },
  };
}

function definition([name]) {
  const value = el("dd");
  return {
    node: el("div", {}, el("dt", {}, clip(name, NAME_LENGTH)), value),
    update: ([, words]) => text(value, clip(plain(words), LONGEST)),
  };
}

// -- the runs before and after it in the graph

function neighboursPart(title, of) {
  const lines = el("ul", { class: "lines" });
  const nothing = el("p", { class: "muted" }, "Nothing that is known.");
  return {
    node: el("section", { class: "card block" }, el("h2", {}, title), lines, nothing),
    update(run) {
      // Upstream, the history may know a task's name only.
      const found = run[of].map((each) => (of === "upstream" ? each : { task_id: each.task_id, run: each }));
      show(nothing, !found.length);
      list(
        lines,
        found,
        (each) => `${each.task_id} ${each.run?.run_id}`,
        (each) => (each.run ? neighbour() : unknownTask(each)),
      );
    },
  };
}

function neighbour() {
  const line = runLine();
  return { node: line.node, update: ({ run }) => line.update(run) };
}

const unknownTask = ({ task_id: id }) => ({
  node: el("li", {}, el("span", {}, clip(id, NAME_LENGTH)), el("span", { class: "muted note" }, "no run recorded")),
  update() {},
});
