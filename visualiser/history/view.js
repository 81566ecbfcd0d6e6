// The history: what ran, how it went, and how long it took. Its part of the address:
//
//   part     empty: the runs; families, failures; family: all about the one that `family` names
//   run      the number of a run, to show all about it; of: a task's id, for its last run
//   host     only runs there; family, worker, param, statuses, since and until are as for the tasks
//   sorted   the order of the runs, as the daemon calls it: -scheduled, duration, ...
//   after    where the page begins: what the daemon said is next
//   last     how many runs a family's chart shows
//   scale    log: durations by orders of magnitude; even: not so; empty: as is fit

import { attribute, el, fill, loadStyles, show } from "../dom.js";
import { link } from "../router.js";
import { failuresPart } from "./failures.js";
import { familiesPart } from "./families.js";
import { familyPart } from "./family.js";
import { runPart } from "./run.js";
import { runsPart } from "./runs.js";

// What has just happened is in the database a moment later.
const SETTLE_MS = 1_500;

const PARTS = {
  __proto__: null,
  runs: runsPart,
  families: familiesPart,
  failures: failuresPart,
  family: familyPart,
  run: runPart,
};
const CHOICES = [
  ["", "Runs"],
  ["families", "Families"],
  ["failures", "Failures"],
];

/** @param context  see app.js */
export function historyView({ store, update }) {
  loadStyles(new URL("history.css", import.meta.url).href);
  const choices = CHOICES.map(choiceOf);
  const body = el("div", { class: "history-body" });
  const found = el(
    "div",
    {},
    el("nav", { class: "choices", "aria-label": "History" }, ...choices.map(({ node }) => node)),
    body,
  );
  const off = offNote();
  const made = {};
  let [seen, version, timer] = [null, 0, 0];

  // What it depends on besides the question: the store's revision, and that again when it has been written down.
  function versionNow() {
    if (seen !== store.revision) {
      seen = store.revision;
      version += 1;
      clearTimeout(timer);
      timer = setTimeout(() => {
        version += 1;
        update();
      }, SETTLE_MS);
    }
    return version;
  }

  return {
    node: el("section", { "aria-label": "History", class: "history" }, found, off),
    update(route) {
      const on = store.overview?.features.history;
      show(off, on === false);
      show(found, on);
      if (!on) return;
      const name = partOf(route);
      made[name] ??= PARTS[name](update);
      fill(body, made[name].node);
      for (const choice of choices) choice.update(name);
      made[name].update(route, versionNow());
    },
    leave: () => clearTimeout(timer),
  };
}

/** The part of the history that a route shows. */
export function partOf({ history: { part, run, of }, family }) {
  if (run || of) return "run";
  if (part === "family") return family ? "family" : "families";
  return part in PARTS && part !== "run" ? part : "runs";
}

function choiceOf([part, words]) {
  const node = el("a", {}, words);
  return {
    node,
    update(shown) {
      const own = shown === "family" ? "families" : shown === "run" ? "runs" : shown;
      attribute(node, "href", link({ history: { part, run: "", of: "", after: "" } }));
      attribute(node, "aria-current", own === (part || "runs") && "true");
    },
  };
}

function offNote() {
  return el(
    "div",
    { class: "empty", hidden: true },
    el(
      "p",
      {},
      "No history is recorded, so nothing is known of what ran before. To have it, put this into luigi.cfg and " +
        "restart the daemon:",
    ),
    el("code", {}, "[scheduler] record_task_history = true"),
  );
}
