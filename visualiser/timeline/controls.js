// The controls above the timeline.

import { now } from "../api.js";
import { attribute, button, choice, el, list, show, text } from "../dom.js";
import { clip, workerName } from "../format.js";
import { go } from "../router.js";
import { following } from "./window.js";
import { windowWords } from "./wording.js";

const NAME_LENGTH = 80;

const SPANS = [
  [300, "5 minutes"],
  [900, "15 minutes"],
  [3600, "hour"],
  [6 * 3600, "6 hours"],
  [86400, "day"],
  [7 * 86400, "week"],
  [30 * 86400, "30 days"],
];

/**
 * @param stage  see stage.js
 * @param {function(Object)} lookAt  look through a window, see window.js
 */
export function controlBar(stage, lookAt) {
  let view = null;
  const lanes = { "": "By worker", family: "By family" };
  const by = choice("Lanes", Object.entries(lanes), (value) => go({ timeline: { by: value } }));
  const follow = (span) => lookAt(following(span, now()));
  const span = spanChoice(follow);
  const steps = [
    step("◂", "Earlier", stage.earlier),
    step("▸", "Later", stage.later),
    step("+", "Zoom in", stage.zoomIn),
    step("−", "Zoom out", stage.zoomOut),
  ];
  const followNow = button("Follow now", () => follow(view.to - view.from));
  const rows = el("input", { type: "checkbox", onchange: () => go({ timeline: { rows: rows.checked ? "1" : "" } }) });
  const chips = el("div", { class: "chips" });
  const summary = el("p", { class: "muted timeline-summary", role: "status" });
  return {
    node: el(
      "div",
      { class: "timeline-controls card" },
      by.node,
      span.node,
      el("div", { class: "timeline-steps", role: "group", "aria-label": "Look around" }, ...steps),
      followNow,
      el("label", { class: "check" }, rows, "Table"),
      chips,
      summary,
    ),
    /** @param {Object} wanted  the window @param {string} words  what there is in it */
    update(wanted, route, words) {
      view = wanted;
      by.update(route.timeline.by === "family" ? "family" : "");
      span.update(view);
      show(followNow, !view.live);
      rows.checked = route.timeline.rows === "1";
      list(chips, chipsOf(route), ({ name }) => name, chip);
      text(summary, words);
    },
  };
}

const step = (words, name, deed) => button(words, deed, { "aria-label": name, title: name });

// What is looked at, if it is none of what can be chosen, is an entry of its own.
function spanChoice(follow) {
  const spans = SPANS.map(([seconds, words]) => [String(seconds), `last ${words}`]);
  const entries = choice("Time shown", [["", ""], ...spans], (value) => value && follow(Number(value)));
  const { node } = entries;
  const [other] = node.options;
  return {
    node,
    update(view) {
      const length = String(Math.round(view.to - view.from));
      const isKnown = view.live && spans.some(([seconds]) => seconds === length);
      text(other, windowWords(view));
      entries.update(isKnown ? length : "");
      show(other, !isKnown);
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
