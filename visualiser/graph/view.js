// The dependency graph: what a task needs, what needs it, or everything there is. A worker lays it out and paints it;
// here are the controls, what is said about it, and which of it the address keeps:
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

import { attribute, button, el, fill, list, show, text } from "../dom.js";
import { amount, clip, counted } from "../format.js";
import { go, route as currentRoute } from "../router.js";
import { STATUSES, label, statusIcon } from "../status.js";
import { STATUS_NAMES, countsOf, nameOf, sizeOf } from "./names.js";
import { nodeTable } from "./nodes.js";
import { createStage } from "./stage.js";

const REFRESH_MS = 2_000;
const STEPS = [1, 2, 3, 5, 10];
const NAME_LENGTH = 80;

/** @param store  see store.js; its changes are what the graph is read again for */
export function graphView({ store }) {
  const styles = loadStyles(new URL("graph.css", import.meta.url).href);

  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const post = (kind, more = {}) => worker.postMessage({ kind, ...more });

  let scene = null;
  let selected = -1;
  let found = [];
  let asked = { question: "", arrangement: "" };
  let failure = null;
  let reading = false;
  let readAt = 0;
  let readRevision = null;
  let timer = 0;

  const stage = createStage({
    look: post,
    pick: (v) => (v < 0 ? select(-1) : open(v)),
    pickAgain: () => focusOn(selected),
    key: (event) => Boolean(scene && STAGE_KEYS[event.key]?.(event)),
  });

  // ---- the controls ----

  const change = (graph, options) => go({ graph }, options);
  const find = el("input", {
    type: "search",
    placeholder: "Find in the graph",
    "aria-label": "Find in the graph",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => change({ find: find.value }, { replace: true }),
    onkeydown: (event) => event.key === "Enter" && nextFound(event.shiftKey ? -1 : 1),
  });
  const hits = el("span", { class: "muted", role: "status" });
  const direction = choice("Direction", [
    ["up", "What it needs"],
    ["down", "What needs it"],
    ["both", "Both ways"],
  ]);
  direction.node.onchange = () =>
    change({ invert: direction.node.value === "down" ? "1" : "", both: direction.node.value === "both" ? "1" : "" });
  const steps = choice("Steps", [["", "All the way"], ...STEPS.map((n) => [String(n), counted(n, "step")])]);
  steps.node.onchange = () => change({ steps: steps.node.value });
  const hideDone = checkbox("Hide done", (checked) => change({ hideDone: checked ? "1" : "" }));
  const group = checkbox("Group by family", (checked) => change({ group: checked ? "1" : "0", open: "" }));
  const path = checkbox("Longest chain", (checked) => change({ path: checked ? "" : "0" }));
  path.node.append(el("span", { class: "graph-chain", "aria-hidden": "true" }));
  const asTable = checkbox("List", (checked) => change({ list: checked ? "1" : "" }));
  const svg = button("Save SVG", () => post("svg"));
  const everything = button("All tasks", () => go({ task: "", graph: { taskId: "" } }));
  const heading = el("h2", { class: "graph-title" });
  const about = el("p", { class: "muted graph-about", role: "status" });
  const said = el("p", { class: "offscreen", "aria-live": "polite" });
  const legend = el("div", {
    class: "graph-legend",
    role: "group",
    "aria-label": "Statuses; click to see the next such task",
  });
  const opened = el("div", { class: "chips" });
  const words = el("p");
  const again = button("Try again", () => read(true));
  const trouble = el("div", { class: "graph-trouble", role: "status" }, words, again);
  stage.node.append(trouble);
  const help = el(
    "p",
    { id: "graph-help", class: "muted graph-help" },
    "Arrows go along the edges, Enter opens, F puts a task in the middle, + − 0 zoom, Escape lets go.",
  );
  attribute(stage.canvas, "aria-describedby", "graph-help");
  const table = nodeTable({ pick: (v) => open(v), focusOn });

  const node = el(
    "section",
    { class: "graph", "aria-label": "Dependency graph" },
    el("div", { class: "graph-head" }, heading, everything, about),
    el(
      "div",
      { class: "graph-controls card" },
      el("div", { class: "graph-find" }, find, hits),
      direction.node,
      steps.node,
      ...[hideDone, group, path, asTable].map((each) => each.node),
      svg,
    ),
    el("div", { class: "graph-marks" }, legend, opened),
    stage.node,
    table.node,
    help,
    said,
  );

  // ---- asking the worker ----

  function questionOf({ taskId, hideDone: hides, invert, both, steps: n }) {
    const far = /^[1-9]\d{0,3}$/.test(n) ? Number(n) : -1;
    const down = isSet(both) || isSet(invert) ? far : 0;
    return { root: taskId, up: isSet(invert) && !isSet(both) ? 0 : far, down, hideDone: isSet(hides) };
  }

  function arrangementOf({ group: wanted, open: families }) {
    return { grouped: wanted === "" ? null : isSet(wanted), open: namesIn(families) };
  }

  function ask(graph) {
    const [question, arrangement] = [JSON.stringify(questionOf(graph)), JSON.stringify(arrangementOf(graph))];
    const before = asked;
    asked = { question, arrangement };
    if (question !== before.question) {
      failure = null;
      read(true);
    } else if (arrangement !== before.arrangement) {
      post("arrange", { arrangement: JSON.parse(arrangement) });
      attribute(stage.node, "aria-busy", "true");
    } else {
      refresh();
    }
  }

  function read(anew) {
    clearTimeout(timer);
    timer = 0;
    reading = true;
    readAt = Date.now();
    readRevision = store.revision;
    if (anew) {
      failure = null;
      attribute(stage.node, "aria-busy", "true");
    }
    post("read", { question: JSON.parse(asked.question), arrangement: JSON.parse(asked.arrangement) });
    showState();
  }

  // Again after each change the store has seen, but not more often than every two seconds.
  function refresh() {
    if (reading || timer || store.revision === readRevision) return;
    timer = setTimeout(() => node.isConnected && read(false), Math.max(0, readAt + REFRESH_MS - Date.now()));
  }

  worker.onerror = (event) => {
    event.preventDefault();
    HEARD.failed({ deed: "read", message: event.message || "the worker did not start" });
  };

  worker.onmessage = ({ data }) => HEARD[data.kind](data);

  const HEARD = {
    scene({ scene: fresh }) {
      settled();
      const anchor = anchorFor(fresh);
      const kept = selected >= 0 ? keyOf(scene, selected) : null;
      scene = withHelpers(fresh);
      stage.setScene(scene, anchor);
      selected = kept === null ? -1 : nodeOfKey(scene, kept);
      look();
      update(currentRoute());
    },
    colours({ status, counts, path: chain }) {
      settled();
      Object.assign(scene, { status, counts, path: chain });
      stage.repaint();
      showState();
    },
    unchanged() {
      settled();
      showState();
    },
    picture: ({ bitmap, view }) => stage.show("picture", bitmap, view),
    overview: ({ bitmap, view }) => stage.show("overview", bitmap, view),
    svg: ({ text: content }) => save(content),
    failed({ message, deed }) {
      settled();
      failure =
        deed === "read" ? `The graph could not be read: ${message}.` : `The graph could not be drawn: ${message}.`;
      if (store.lost) timer = setTimeout(() => read(false), REFRESH_MS);
      showState();
    },
  };

  function settled() {
    reading = false;
    failure = null;
  }

  // The node that should stay where it is on the screen: the family that was clicked, or what is selected.
  function anchorFor(fresh) {
    if (!scene || scene.root !== fresh.root) return null;
    const from = selected >= 0 ? selected : scene.rooted ? scene.nodeOf[0] : -1;
    const to = from >= 0 ? nodeOfKey(fresh, keyOf(scene, from)) : -1;
    return to >= 0 ? { from, to } : null;
  }

  const keyOf = (of, v) => (of.task[v] < 0 ? { family: of.families[of.family[v]] } : { id: of.ids[of.task[v]] });

  function nodeOfKey(of, { id, family }) {
    if (id !== undefined) {
      const task = of.ids.indexOf(id);
      return task < 0 ? -1 : of.nodeOf[task];
    }
    return of.family.indexOf(of.families.indexOf(family));
  }

  // ---- choosing nodes ----

  function select(v) {
    selected = v;
    stage.setMarks(selected, found);
    if (v >= 0) text(said, scene.title(v));
    table.select(v);
  }

  function open(v) {
    select(v);
    const family = scene.families[scene.family[v]];
    if (scene.task[v] >= 0) go({ task: scene.ids[scene.task[v]] });
    else if (scene.whole)
      go({ tab: "tasks", family, page: 1 }); // too many to draw
    else change({ open: JSON.stringify([...namesIn(currentRoute().graph.open), family]) });
  }

  function focusOn(v) {
    if (v < 0 || scene.task[v] < 0) return;
    const steps = currentRoute().graph.steps || "2";
    go({ task: "", graph: { taskId: scene.ids[scene.task[v]], both: "1", invert: "", steps } });
  }

  // Along an edge to the neighbour nearest in height, or up and down a rank.
  function walk(direction) {
    if (selected < 0) return arrive(scene.rooted ? scene.nodeOf[0] : 0);
    const candidates = {
      ArrowLeft: () => scene.neighbours(selected, "needs"),
      ArrowRight: () => scene.neighbours(selected, "neededBy"),
      ArrowUp: () => scene.column(selected).filter((v) => scene.y[v] < scene.y[selected]),
      ArrowDown: () => scene.column(selected).filter((v) => scene.y[v] > scene.y[selected]),
    }[direction]();
    const distance = (v) => Math.abs(scene.y[v] - scene.y[selected]);
    if (candidates.length) return arrive(candidates.reduce((best, v) => (distance(v) < distance(best) ? v : best)));
    text(said, "Nothing there");
    return true;
  }

  function arrive(v) {
    if (scene.count === 0) return false;
    select(v);
    stage.see(v);
    return true;
  }

  const STAGE_KEYS = {
    ArrowLeft: (event) => !event.shiftKey && walk(event.key),
    ArrowRight: (event) => !event.shiftKey && walk(event.key),
    ArrowUp: (event) => !event.shiftKey && walk(event.key),
    ArrowDown: (event) => !event.shiftKey && walk(event.key),
    Enter: () => selected >= 0 && (open(selected), true),
    f: () => (focusOn(selected), true),
    Home: () => arrive(scene.rooted ? scene.nodeOf[0] : 0),
    Escape: () => (selected >= 0 && !currentRoute().task ? (select(-1), true) : false),
  };

  function look() {
    const wanted = currentRoute()
      .graph.find.toLowerCase()
      .split(/\s+/)
      .filter((word) => word);
    const tasks = wanted.length
      ? scene.ids.flatMap((id, v) => (wanted.every((word) => id.toLowerCase().includes(word)) ? [v] : []))
      : [];
    found = [...new Set(tasks.map((v) => scene.nodeOf[v]))];
    const inside = found.length === tasks.length ? "" : ` in ${counted(found.length, "node")}`;
    text(hits, wanted.length ? `${counted(tasks.length, "task")}${inside}` : "");
    stage.setMarks(selected, found);
  }

  const nextFound = (step) => next(found, step);
  const nextOfStatus = (status) =>
    next(
      [...scene.status.keys()].filter((v) => countsOf(scene, v)[status]),
      1,
    );

  function next(nodes, step) {
    if (!nodes.length) return;
    arrive(nodes[(nodes.indexOf(selected) + step + nodes.length) % nodes.length]);
  }

  function save(content) {
    const address = URL.createObjectURL(new Blob([content], { type: "image/svg+xml" }));
    const name = (scene.root || "all-tasks").replace(/[^\w.-]+/g, "_").slice(0, NAME_LENGTH);
    el("a", { href: address, download: `${name}.svg` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  // ---- what is shown ----

  function showState() {
    const empty = scene && scene.count === 0;
    const message = failure ?? (!scene ? "Reading the graph" : empty ? emptyWords(scene) : "");
    show(trouble, message);
    text(words, message);
    show(again, failure);
    trouble.classList.toggle("over", Boolean(scene && !empty));
    if (failure) attribute(stage.node, "aria-busy", "false");
    if (scene) showScene(currentRoute().graph);
  }

  const emptyWords = ({ root }) =>
    root ? `The daemon does not know ${clip(root, NAME_LENGTH)}, or no longer does.` : "No tasks yet.";

  function showScene(graph) {
    text(about, aboutWords(scene));
    group.update(scene.grouped, scene.ids.length === 0);
    path.update(graph.path !== "0", scene.path.length === 0);
    path.say(scene.path.length ? `Longest chain: ${amount(scene.path.length)}` : "Longest chain");
    stage.setPath(graph.path !== "0");
    attribute(stage.canvas, "aria-label", `${heading.textContent}: ${about.textContent}`);
    list(
      legend,
      legendEntries(scene),
      ({ status }) => status,
      (entry) => legendEntry(entry, nextOfStatus),
    );
    const families = scene.grouped ? namesIn(graph.open).filter((name) => scene.families.includes(name)) : [];
    list(
      opened,
      families,
      (name) => name,
      (name) => familyChip(name, () => close(name)),
    );
    table.update(scene, graph);
  }

  function close(name) {
    change({ open: JSON.stringify(namesIn(currentRoute().graph.open).filter((other) => other !== name)) });
  }

  function update(route) {
    const { graph } = route;
    if (find.value !== graph.find) find.value = graph.find;
    text(heading, graph.taskId ? titleOf(graph.taskId) : "All tasks");
    attribute(heading, "title", clip(graph.taskId, 1000));
    direction.update(isSet(graph.both) ? "both" : isSet(graph.invert) ? "down" : "up");
    steps.update(graph.steps);
    for (const each of [direction.node, steps.node, everything]) show(each, graph.taskId);
    hideDone.update(isSet(graph.hideDone));
    asTable.update(isSet(graph.list));
    show(table.node, isSet(graph.list));
    show(stage.node, !isSet(graph.list));
    show(help, !isSet(graph.list));
    ask(graph);
    showState();
    if (scene) followRoute(route);
  }

  let looked = "";

  function followRoute({ task, graph }) {
    if (looked !== graph.find) {
      looked = graph.find;
      look();
      if (found.length) arrive(found[0]);
    }
    const v = task ? nodeOfKey(scene, { id: task }) : -1;
    if (v >= 0 && v !== selected) arrive(v);
  }

  function titleOf(id) {
    if (!scene || scene.root !== id || !scene.ids.length) return clip(id, NAME_LENGTH);
    return clip(nameOf(scene, scene.nodeOf[0]).join(" ").trim(), NAME_LENGTH);
  }

  let applied = "";
  const applyTheme = () => {
    const palette = paletteOf(getComputedStyle(document.documentElement));
    if (JSON.stringify(palette) === applied) return;
    applied = JSON.stringify(palette);
    post("theme", { palette });
    stage.setPalette(palette);
  };
  styles.then(applyTheme); // it has one colour of its own
  applyTheme();
  addEventListener("themechange", applyTheme);

  return { node, update };
}

function loadStyles(href) {
  return new Promise((resolve) => {
    document.head.append(el("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  });
}

const isSet = (flag) => flag === "1" || flag === "true";

function namesIn(json) {
  try {
    const names = JSON.parse(json || "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

// What a person may ask of a scene, beside its arrays.
function withHelpers(scene) {
  const { from, to } = scene;
  const edgesOf = (v) => [...from.keys()].filter((e) => from[e] === v || to[e] === v);
  const neighbours = (v, side) => {
    const [here, there] = side === "needs" ? [to, from] : [from, to];
    return edgesOf(v).flatMap((e) => (here[e] === v && there[e] !== v ? [there[e]] : []));
  };
  const column = (v) => [...scene.x.keys()].filter((other) => Math.abs(scene.x[other] - scene.x[v]) < 1);
  const title = (v) => {
    const beside = scene.task[v] < 0 ? counted(sizeOf(scene, v), "task") : "";
    const name = [...nameOf(scene, v), beside].filter((part) => part).join(" ");
    const [needs, neededBy] = ["needs", "neededBy"].map((side) => amount(neighbours(v, side).length));
    return clip(`${name}, ${label(STATUS_NAMES[scene.status[v]])}, needs ${needs}, needed by ${neededBy}`, 1_000);
  };
  return Object.assign(scene, { edgesOf, neighbours, column, title });
}

function aboutWords({ ids, count, from, grouped, total, complete, cyclic, whole }) {
  const tasks = whole ? total : ids.length;
  const parts = [counted(tasks, "task"), counted(from.length, "edge")];
  if (grouped && count !== tasks) parts.splice(1, 0, `shown as ${counted(count, "node")}`);
  const cycles = cyclic.reduce((sum, each) => sum + each, 0);
  if (cycles) parts.push(`${counted(cycles, "edge closes", "edges close")} a cycle (dashed)`);
  if (!complete)
    parts.push(`only the nearest of ${total > ids.length ? amount(total) : "many more"}: fewer steps show all of them`);
  return parts.join(" · ");
}

function legendEntries({ counts }) {
  const sums = STATUS_NAMES.map(() => 0);
  counts.forEach((n, i) => (sums[i % STATUS_NAMES.length] += n));
  return STATUS_NAMES.map((name, number) => ({ status: name, number, n: sums[number] }))
    .filter(({ n }) => n)
    .reverse();
}

function legendEntry({ status, number }, follow) {
  const word = el("span");
  const node = el(
    "button",
    {
      type: "button",
      class: "button small",
      "data-status": status,
      onclick: () => follow(number),
      title: STATUSES[status].hint,
    },
    statusIcon(status),
    word,
  );
  return { node, update: ({ n }) => text(word, `${label(status)} ${amount(n)}`) };
}

function familyChip(name, close) {
  const cross = el("span", { "aria-hidden": "true" }, "×");
  const node = el("button", { type: "button", class: "chip", "aria-label": `Close family ${name}`, onclick: close });
  fill(node, el("span", {}, clip(name, NAME_LENGTH)), cross);
  return { node, update() {} };
}

function checkbox(words, changed) {
  const input = el("input", { type: "checkbox", onchange: () => changed(input.checked) });
  const said = el("span", {}, words);
  return {
    node: el("label", { class: "graph-check" }, input, said),
    update(checked, disabled = false) {
      input.checked = checked;
      input.disabled = disabled;
    },
    say: (other) => text(said, other),
  };
}

function choice(name, options) {
  const node = el("select", { "aria-label": name }, ...options.map(([value, words]) => el("option", { value }, words)));
  return {
    node,
    update(value) {
      node.value = value;
    },
  };
}

// The colours of the style sheet, for what is no element.
function paletteOf(style) {
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const tones = STATUS_NAMES.map((name) => [name, colour(name.toLowerCase().replace("_input", "").replace("_", "-"))]);
  return {
    page: colour("surface"),
    surface: colour("surface"),
    ink: colour("ink"),
    muted: colour("muted"),
    accent: colour("accent"),
    edge: colour("line-strong"),
    chain: colour("chain"),
    tones: Object.fromEntries(tones),
    icons: Object.fromEntries(STATUS_NAMES.map((name) => [name, STATUSES[name].drawing])),
  };
}
