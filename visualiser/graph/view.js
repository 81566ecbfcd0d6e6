// The dependency graph: what a task needs, what needs it, or everything there is. A worker reads it, lays it out and
// paints it; here is what is said about it and done with it. The address keeps:
//
//   taskId    the task in the middle; empty: all tasks
//   hideDone  1: without what is done
//   invert    1: what needs the task, instead of what it needs
//   both      1: both of these
//   steps     how far to go; empty: all the way
//   group     1 or 0: families in place of their tasks, or not; empty: as is fit
//   open      families shown task by task all the same, a JSON list
//   path      0: without the longest chain
//   list      1: as a table
//   find      words to look for

import { followTheme } from "../canvas.js";
import { attribute, button, el, lazyPart, show, text } from "../dom.js";
import { clip } from "../format.js";
import { go, route as currentRoute } from "../router.js";
import { STATUSES } from "../task.js";
import { STATUS_NAMES, isSet } from "./common.js";
import { controlBar, markBar } from "./controls.js";
import { createReader } from "./reader.js";
import { headingOf, sceneWords, stateWords, withQuestions } from "./scene.js";
import { createSelection } from "./selection.js";
import { createStage } from "./stage.js";

const NAME_LENGTH = 80;
const TITLE_LENGTH = 1_000;
const KEPT_MS = 60_000;
const HELP = "Arrows go along the edges, Enter opens, F puts a task in the middle, + − 0 zoom, Escape lets go.";

/**
 * @param {{store}} context  see store.js: its changes are what the graph is read again for
 * @param begun  the worker: see reader.js
 * @param {HTMLLinkElement} sheet  the graph's own style sheet
 */
export function graphView({ store }, begun, sheet) {
  let scene = null;
  let failure = null;

  const reader = createReader(store, begun, {
    scene: ({ scene: fresh }) => takeScene(withQuestions(fresh)),
    colours: ({ status, counts, path }) => takeColours({ status, counts, path }),
    unchanged: () => takeColours(null),
    picture: ({ bitmap, view }) => stage.take("picture", bitmap, view),
    overview: ({ bitmap, view }) => stage.take("overview", bitmap, view),
    svg: ({ text: content }) => save(content, scene.root || "all-tasks"),
    failed: ({ message }) => fail(message),
  });
  const stage = createStage({
    look: reader.post,
    pick: (v) => selection.pick(v),
    pickAgain: () => selection.pickAgain(),
    key: (event) => selection.press(event),
  });
  const selection = createSelection(stage, {
    changed: () => showTable(currentRoute().graph),
    found: (words) => controls.say(words),
  });
  const controls = controlBar({ next: selection.goToFound, save: () => scene && reader.post("svg") });
  const marks = markBar(selection.goToStatus);
  const { open, focusOn } = selection;
  const table = lazyPart("the list", async () => (await import("./nodes.js")).nodeTable({ pick: open, focusOn }));
  const heading = el("h2", { class: "graph-title" });
  const everything = button("All tasks", () => go({ task: "", graph: { taskId: "" } }));
  const about = el("p", { class: "muted graph-about", role: "status" });
  const help = el("p", { id: "graph-help", class: "muted graph-help" }, HELP);
  const trouble = troubleNote(() => reader.read());
  stage.node.append(trouble.node);
  attribute(stage.canvas, "aria-describedby", help.id);
  const node = el(
    "section",
    { class: "graph", "aria-label": "Dependency graph" },
    el("div", { class: "graph-head" }, heading, everything, about),
    controls.node,
    marks.node,
    stage.node,
    table.node,
    help,
    selection.node,
  );
  const lookAgain = followTheme(paletteOf, (palette) => {
    reader.post("theme", { palette });
    stage.setPalette(palette);
  });
  sheet.addEventListener("load", lookAgain);

  // ---- what the worker says ----

  function takeScene(fresh) {
    failure = null;
    scene = fresh;
    selection.setScene(scene);
    update(currentRoute());
  }

  function takeColours(colours) {
    failure = null;
    Object.assign(scene, colours);
    if (colours) stage.repaint();
    showScene(currentRoute().graph);
  }

  function fail(message) {
    failure = `The graph could not be read: ${message}.`;
    if (store.lost) reader.readLater();
    showScene(currentRoute().graph);
  }

  // ---- what is shown ----

  function update(route) {
    const { graph } = route;
    const isTable = isSet(graph.list);
    show(everything, graph.taskId);
    show(table.node, isTable);
    for (const each of [stage.node, help]) show(each, !isTable);
    if (reader.ask(graph)) {
      failure = null;
      attribute(stage.node, "aria-busy", "true");
    }
    showScene(graph);
    if (scene) selection.follow(route);
  }

  function showScene(graph) {
    controls.update(graph, scene);
    text(heading, headingOf(scene, graph.taskId));
    attribute(heading, "title", clip(graph.taskId, TITLE_LENGTH));
    trouble.update(failure, stateWords(scene), Boolean(scene?.count));
    if (failure) attribute(stage.node, "aria-busy", "false");
    if (!scene) return;
    text(about, sceneWords(scene));
    attribute(stage.canvas, "aria-label", `${heading.textContent}: ${about.textContent}`);
    marks.update(scene, graph);
    stage.setPath(graph.path !== "0");
    showTable(graph);
  }

  function showTable({ list, find }) {
    if (isSet(list)) table.update({ scene, find, selected: selection.selected });
  }

  return { node, update, leave: reader.rest };
}

// Why there is nothing to see; over a drawing, why it is not up to date.
function troubleNote(retry) {
  const words = el("p");
  const again = button("Try again", retry);
  const node = el("div", { class: "graph-trouble", role: "status" }, words, again);
  return {
    node,
    update(failure, state, isOver) {
      show(node, failure ?? state);
      show(again, failure);
      text(words, failure ?? state);
      node.classList.toggle("over", isOver);
    },
  };
}

function save(content, title) {
  const address = URL.createObjectURL(new Blob([content], { type: "image/svg+xml" }));
  const name = title.replace(/[^\w.-]+/g, "_").slice(0, NAME_LENGTH);
  el("a", { href: address, download: `${name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

function paletteOf(style) {
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const tone = (status) => colour(status.toLowerCase().replace("_input", "").replace("_", "-"));
  return {
    page: colour("surface"),
    surface: colour("surface"),
    ink: colour("ink"),
    muted: colour("muted"),
    accent: colour("accent"),
    edge: colour("line-strong"),
    chain: colour("chain"),
    tones: Object.fromEntries(STATUS_NAMES.map((name) => [name, tone(name)])),
    icons: Object.fromEntries(STATUS_NAMES.map((name) => [name, STATUSES[name].drawing])),
  };
}
