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
import { clip, counted } from "../format.js";
import { go, route as currentRoute } from "../router.js";
import { STATUSES } from "../task.js";
import { STATUS_NAMES, isSet, nameOf, namesIn } from "./common.js";
import { change, controlBar, markBar } from "./controls.js";
import { createReader } from "./reader.js";
import { matching, sameNode, sceneWords, withQuestions } from "./scene.js";
import { createStage } from "./stage.js";

const NAME_LENGTH = 80;
const TITLE_LENGTH = 1_000;
const FOCUS_STEPS = "2";
const KEPT_MS = 60_000;
const HELP = "Arrows go along the edges, Enter opens, F puts a task in the middle, + − 0 zoom, Escape lets go.";

/**
 * @param {{store}} context  see store.js: its changes are what the graph is read again for
 * @param begun  the worker: see reader.js
 * @param {HTMLLinkElement} sheet  the graph's own style sheet
 */
export function graphView({ store }, begun, sheet) {
  let scene = null;
  let selected = -1;
  let found = [];
  let looked = "";
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
    pick: (v) => (v < 0 ? select(-1) : open(v)),
    pickAgain: () => focusOn(selected),
    key: (event) => Boolean(scene?.count && KEYS[event.key]?.(event)),
  });
  const controls = controlBar({ next: (step) => goToNext(found, step), save: () => scene && reader.post("svg") });
  const marks = markBar((status) => goToNext(scene.withStatus(status), 1));
  const table = lazyPart("the list", async () => (await import("./nodes.js")).nodeTable({ pick: open, focusOn }));
  const heading = el("h2", { class: "graph-title" });
  const everything = button("All tasks", () => go({ task: "", graph: { taskId: "" } }));
  const about = el("p", { class: "muted graph-about", role: "status" });
  const said = el("p", { class: "offscreen", "aria-live": "polite" });
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
    said,
  );
  const lookAgain = followTheme(paletteOf, (palette) => {
    reader.post("theme", { palette });
    stage.setPalette(palette);
  });
  sheet.addEventListener("load", lookAgain);

  // ---- what the worker says ----

  function takeScene(fresh) {
    failure = null;
    // What is selected, else the task asked for, stays where it is on the screen.
    const from = scene?.root === fresh.root ? (selected >= 0 ? selected : fresh.rooted ? scene.nodeOf[0] : -1) : -1;
    const to = from >= 0 ? sameNode(scene, from, fresh) : -1;
    stage.setScene(fresh, to >= 0 ? { from, to } : null);
    selected = selected >= 0 ? to : -1;
    scene = fresh;
    lookFor(looked);
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

  // ---- nodes ----

  function select(v) {
    selected = v;
    stage.setMarks(selected, found);
    showTable(currentRoute().graph);
    if (v >= 0) text(said, scene.title(v));
  }

  function open(v) {
    select(v);
    const family = scene.familyOf(v);
    if (!scene.isFamily(v)) go({ task: scene.idOf(v) });
    else if (scene.whole) go({ tab: "tasks", family, page: 1 });
    else change({ open: JSON.stringify([...namesIn(currentRoute().graph.open), family]) });
  }

  function focusOn(v) {
    if (v < 0 || scene.isFamily(v)) return;
    const steps = currentRoute().graph.steps || FOCUS_STEPS;
    go({ task: "", graph: { taskId: scene.idOf(v), both: "1", invert: "", steps } });
  }

  function arriveAt(v) {
    select(v);
    stage.see(v);
    return true;
  }

  function goToNext(nodes, step) {
    if (nodes.length) arriveAt(nodes[(nodes.indexOf(selected) + step + nodes.length) % nodes.length]);
  }

  const first = () => (scene.rooted ? scene.nodeOf[0] : 0);
  const higher = (v) => scene.column(v).filter((other) => scene.y[other] < scene.y[v]);
  const lower = (v) => scene.column(v).filter((other) => scene.y[other] > scene.y[v]);

  // To the one of these nodes that is nearest in height. With the shift key arrows move the camera.
  function walk(event, candidatesOf) {
    if (event.shiftKey) return false;
    if (selected < 0) return arriveAt(first());
    const distance = (v) => Math.abs(scene.y[v] - scene.y[selected]);
    const nearest = candidatesOf(selected).sort((a, b) => distance(a) - distance(b))[0];
    if (nearest !== undefined) return arriveAt(nearest);
    text(said, "Nothing there");
    return true;
  }

  const KEYS = {
    ArrowLeft: (event) => walk(event, scene.needs),
    ArrowRight: (event) => walk(event, scene.neededBy),
    ArrowUp: (event) => walk(event, higher),
    ArrowDown: (event) => walk(event, lower),
    Home: () => arriveAt(first()),
    Enter() {
      if (selected >= 0) open(selected);
      return true;
    },
    f() {
      focusOn(selected);
      return true;
    },
    Escape() {
      if (selected < 0 || currentRoute().task) return false; // the page closes the details first
      select(-1);
      return true;
    },
  };

  function lookFor(wanted) {
    looked = wanted;
    const words = wanted.toLowerCase().match(/\S+/g) ?? [];
    const { matches, nodes } = words.length ? matching(scene, words) : { matches: 0, nodes: [] };
    const noun = scene.whole ? counted(matches, "family", "families") : counted(matches, "task");
    const places = nodes.length === matches ? "" : ` in ${counted(nodes.length, "node")}`;
    controls.say(words.length ? noun + places : "");
    found = nodes;
    stage.setMarks(selected, found);
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
    if (scene) follow(route);
  }

  // The task whose details are open is selected, and what was newly looked for is gone to.
  function follow({ task, graph }) {
    if (looked !== graph.find) {
      lookFor(graph.find);
      if (found.length) arriveAt(found[0]);
    }
    const v = task ? scene.nodeOfTask(task) : -1;
    if (v >= 0 && v !== selected) arriveAt(v);
  }

  function showScene(graph) {
    controls.update(graph, scene);
    text(heading, titleOf(graph.taskId));
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
    if (isSet(list)) table.update({ scene, find, selected });
  }

  function titleOf(id) {
    if (!id) return "All tasks";
    const isKnown = scene?.root === id && scene.ids.length;
    return clip(isKnown ? nameOf(scene, scene.nodeOf[0]).join(" ").trim() : id, NAME_LENGTH);
  }

  return { node, update, leave: reader.rest };
}

function stateWords(scene) {
  if (!scene) return "Reading the graph";
  if (scene.count) return "";
  return scene.root ? `The daemon does not know ${clip(scene.root, NAME_LENGTH)}, or no longer does.` : "No tasks yet.";
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
