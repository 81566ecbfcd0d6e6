// What the graph makes of the daemon's replies, and where its camera looks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { between, fitting, opening, panned, seeing, zoomed } from "../../visualiser/graph/camera.js";
import { STATUS_NAMES, arrangementOf, askedBy, askedIn, nameOf, questionOf } from "../../visualiser/graph/common.js";
import { fitted, prepare } from "../../visualiser/graph/drawing.js";
import { layoutGraph } from "../../visualiser/graph/layout.js";
import * as model from "../../visualiser/graph/model.js";
import { createReader } from "../../visualiser/graph/reader.js";
import {
  anchorOf,
  headingOf,
  hitsOf,
  matching,
  nearest,
  sameNode,
  stateWords,
  withQuestions,
} from "../../visualiser/graph/scene.js";
import { svgOf } from "../../visualiser/graph/svg.js";
import { parse } from "../../visualiser/router.js";

const number = (name) => STATUS_NAMES.indexOf(name);

/** Tasks by name: { name: [status, names of its dependencies] }; the family is the name's first letter. */
function tasksOf(described) {
  const ids = Object.keys(described);
  const families = [...new Set(ids.map((id) => id[0]))];
  const edges = ids.flatMap((id) => described[id][1].map((dep) => [ids.indexOf(dep), ids.indexOf(id)]));
  return {
    ids,
    families,
    family: Int32Array.from(ids, (id) => families.indexOf(id[0])),
    status: Uint8Array.from(ids, (id) => number(described[id][0])),
    from: Int32Array.from(edges, ([dep]) => dep),
    to: Int32Array.from(edges, ([, task]) => task),
    more: new Int32Array(ids.length),
    total: ids.length,
    complete: true,
    seconds: families.map(() => null),
  };
}

test("a reply of graph_view is read", () => {
  const reply = {
    ids: ["Load", "Get_1", "Late"],
    families: ["Load", "Get", "Late"],
    family: [0, 1, 2],
    statuses: ["PENDING", "DONE", "OF_A_LATER_VERSION"],
    status: [0, 1, 2],
    edges: [1, 0, 2, 0],
    more_up: [0, 2, 0],
    more_down: [1, 1, 0],
    total: 7,
    complete: false,
    seconds: [null, 1.5, null],
  };
  const tasks = model.tasksOfView(reply);
  assert.deepEqual(
    [...tasks.status].map((each) => STATUS_NAMES[each]),
    ["PENDING", "DONE", "UNKNOWN"],
  );
  assert.deepEqual(
    [[...tasks.from], [...tasks.to], [...tasks.more]],
    [
      [1, 2],
      [0, 0],
      [1, 3, 0],
    ],
  );
  assert.ok(model.sameShape(tasks, model.tasksOfView({ ...reply, status: [1, 1, 1] })));
  assert.ok(!model.sameShape(tasks, model.tasksOfView({ ...reply, edges: [1, 0, 2, 1] })));
});

test("the longest unfinished chain", () => {
  const tasks = tasksOf({
    root: ["PENDING", ["a", "x"]],
    a: ["PENDING", ["b"]],
    b: ["RUNNING", ["c"]],
    c: ["DONE", ["d"]],
    d: ["PENDING", []],
    x: ["PENDING", []],
  });
  const names = (path) => [...path].map((v) => tasks.ids[v]);
  assert.deepEqual(names(model.criticalPath(tasks, true)), ["b", "a", "root"]);
  tasks.seconds = tasks.families.map((family) => (family === "x" ? 900 : 1));
  assert.deepEqual(names(model.criticalPath(tasks, true)), ["x", "root"]);
  tasks.status.fill(number("DONE"));
  assert.equal(model.criticalPath(tasks, true).length, 0);
  assert.equal(model.criticalPath(tasksOf({}), false).length, 0);
});

test("a chain in a cycle ends", () => {
  const tasks = tasksOf({ a: ["PENDING", ["c"]], b: ["PENDING", ["a"]], c: ["PENDING", ["b"]] });
  assert.equal(model.criticalPath(tasks, false).length, 3);
});

test("families stand for their tasks, except those that are open", () => {
  const tasks = tasksOf({
    z: ["PENDING", ["b1", "b2"]],
    b1: ["DONE", ["a1"]],
    b2: ["FAILED", ["a2", "b1"]],
    a1: ["DONE", []],
    a2: ["RUNNING", []],
  });
  const closed = model.shownNodes(tasks, true, new Set());
  assert.equal(closed.count, 3);
  assert.deepEqual([...closed.nodeOf], [0, 1, 1, 2, 2]);
  assert.equal(closed.from.length, 2); // b on a and z on b; that of b2 on b1 is inside
  const counts = model.statusCounts(closed, tasks.status);
  assert.equal(counts[1 * STATUS_NAMES.length + number("FAILED")], 1);
  assert.deepEqual(
    [...model.nodeStatuses(counts)].map((each) => STATUS_NAMES[each]),
    ["PENDING", "FAILED", "RUNNING"],
  );
  const open = model.shownNodes(tasks, true, new Set(["b"]));
  assert.deepEqual([...open.task], [0, 1, 2, -1]);
  assert.equal(open.from.length, 5);
  assert.equal(model.shownNodes(tasks, false, new Set()).count, 5);
});

test("where there are too many tasks to read, families stand alone", () => {
  const reply = {
    families: ["Load", "Get"],
    sizes: [30_000, 9_000],
    counts: [{ PENDING: 29_999, FAILED: 1 }, { DONE: 9_000 }],
    edges: [1, 0, 0, 0],
    total: 39_000,
    seconds: [null, null],
  };
  const tasks = model.tasksOfFamilies(reply);
  const shown = model.shownNodes(tasks, false, new Set(["Load"]));
  assert.deepEqual([shown.count, [...shown.from], [...shown.to]], [2, [1], [0]]);
  assert.deepEqual(
    [...model.nodeStatuses(tasks.whole.counts)].map((each) => STATUS_NAMES[each]),
    ["FAILED", "DONE"],
  );
  assert.ok(model.sameShape(tasks, model.tasksOfFamilies({ ...reply, counts: [{}, {}] })));
  assert.ok(!model.sameShape(tasks, model.tasksOfFamilies({ ...reply, edges: [] })));
});

test("families that need each other are no cycle of tasks, and a cycle of tasks is one", () => {
  const mutual = tasksOf({
    a1: ["PENDING", ["b1"]],
    b1: ["PENDING", ["a2"]],
    a2: ["PENDING", []],
    b2: ["PENDING", ["a1"]],
  });
  assert.ok(model.shownNodes(mutual, true, new Set()).cyclic.every((each) => !each));
  const cycle = tasksOf({ a: ["PENDING", ["b"]], b: ["PENDING", ["a"]] });
  assert.equal(
    model.shownNodes(cycle, false, new Set()).cyclic.reduce((sum, each) => sum + each),
    1,
  );
});

test("what a node is called", () => {
  const named = (family, id) => nameOf({ families: [family], family: [0], ids: [id], task: [0] }, 0);
  assert.deepEqual(named("Load", "Load_2024_01_01_orders_0123456789"), ["Load", "2024_01_01_orders"]);
  assert.deepEqual(named("Load", "Load"), ["Load", ""]);
  assert.deepEqual(named("Load", "Load__99914b932b"), ["Load", ""]);
  assert.deepEqual(named("Load", "other"), ["Load", "other"]);
  assert.deepEqual(named("UNKNOWN", "Load_2"), ["Load_2", ""]);
});

const STAGE = { width: 1000, height: 500 };
const SCENE = { width: 4000, height: 1000, x: [100, 3900], y: [20, 980] };

test("the camera shows all, keeps the point under the pointer, and finds nodes", () => {
  const all = fitting(SCENE, STAGE);
  assert.ok(
    all.x <= 0 && all.y <= 0 && all.x + STAGE.width / all.scale >= 4000 && all.y + STAGE.height / all.scale >= 1000,
  );
  const closer = zoomed(all, 3, 250, 100, 0.01);
  assert.ok(Math.abs(all.x + 250 / all.scale - (closer.x + 250 / closer.scale)) < 1e-9);
  assert.equal(zoomed(all, 1e9, 0, 0, 0.01).scale, zoomed(all, 1e10, 0, 0, 0.01).scale);
  assert.equal(zoomed(all, 1e-9, 0, 0, 0.01).scale, 0.01);
  const there = seeing(all, SCENE, 1, STAGE);
  assert.equal((SCENE.x[1] - there.x) * there.scale, 500);
  assert.equal(seeing(there, SCENE, 1, STAGE), there);
  assert.equal(panned(there, 10, 0).x, there.x - 10 / there.scale);
});

test("a drawing too large to see anything opens at the task", () => {
  const long = { width: 2_000_000, height: 50, x: [1_999_000], y: [25] };
  const camera = opening(long, STAGE, 0);
  assert.ok(camera.scale > 0.5);
  assert.equal(Math.round((long.x[0] - camera.x) * camera.scale), 750); // what it needs is left of it
  assert.deepEqual(opening(long, STAGE, -1), fitting(long, STAGE));
  const phone = { width: 360, height: 600 };
  assert.ok(opening({ ...SCENE, count: 8 }, phone, 1).scale > 0.5);
  assert.deepEqual(opening({ ...SCENE, count: 800 }, phone, 1), fitting(SCENE, phone));
});

test("gliding begins and ends where it should", () => {
  const [a, b] = [fitting(SCENE, STAGE), { x: 5, y: 6, scale: 1 }];
  for (const [part, camera] of [
    [0, a],
    [1, b],
  ]) {
    for (const name of ["x", "y", "scale"]) assert.ok(Math.abs(between(a, b, part)[name] - camera[name]) < 1e-9);
  }
});

test("words are cut where they no longer fit", () => {
  const measure = (words) => words.length;
  assert.equal(fitted("short", 10, measure), "short");
  assert.equal(fitted("rather too long", 8, measure), "rather …");
  assert.equal(fitted("x".repeat(100_000), 1e9, measure).length, 201);
});

test("the SVG holds every node and edge, and hostile names as text", () => {
  const hostile = '</title><script>alert("1")</script>\u0000\ud800&';
  const tasks = tasksOf({ a: ["FAILED", ["c"]], b: ["PENDING", ["a"]], c: ["DONE", ["b"]] });
  tasks.ids[0] = hostile;
  tasks.families[0] = hostile;
  const shown = model.shownNodes(tasks, false, new Set());
  const layout = layoutGraph(shown.count, shown.from, shown.to, shown.size);
  const counts = model.statusCounts(shown, tasks.status);
  const scene = { ...tasks, ...shown, ...layout, counts, path: Int32Array.of(1, 2) };
  prepare(scene);
  const named = (value) => Object.fromEntries(STATUS_NAMES.map((name) => [name, value]));
  const palette = {
    page: "#fff",
    surface: "#fff",
    ink: "#000",
    muted: "#777",
    edge: "#888",
    chain: "#fa0",
    tones: named("#123"),
    icons: named("M0 0"),
  };
  const svg = svgOf(scene, palette);
  assert.equal(svg.match(/<g /g).length, 3);
  assert.equal(svg.match(/url\(#a\)/g).length, 3);
  assert.ok(!/<script|\u0000|[\ud800-\udfff]/.test(svg));
  assert.ok(svg.includes("&lt;script&gt;"));
});

test("the address says what to ask and how to arrange it", () => {
  const graph = { taskId: "Load", hideDone: "", invert: "", both: "", steps: "", group: "", open: "" };
  const asked = (changes) => questionOf({ ...graph, ...changes });
  assert.deepEqual(asked({}), { root: "Load", up: -1, down: 0, hideDone: false });
  assert.deepEqual(asked({ invert: "1", hideDone: "1" }), { root: "Load", up: 0, down: -1, hideDone: true });
  assert.deepEqual(asked({ both: "1", invert: "1", steps: "3" }), { root: "Load", up: 3, down: 3, hideDone: false });
  for (const steps of ["0", "-1", "1e9", "x", "99999"]) assert.equal(asked({ steps }).up, -1);
  assert.deepEqual(arrangementOf({ ...graph, open: '["A",1]' }), { grouped: null, open: ["A"] });
  assert.deepEqual(arrangementOf({ ...graph, group: "0", open: "[broken" }), { grouped: false, open: [] });
});

test("the worker understands an address as the router does", () => {
  for (const hash of [
    "",
    "#tab=graph",
    "#tab=graph&taskId=A%26B+C&invert=1&steps=3&hideDone=true",
    "#tab=graph&taskId=A&taskId=B&both=1&invert=1&group=0",
    '#tab=graph&open=["A"]&group=1&steps=-2',
  ])
    assert.deepEqual(askedIn(hash), askedBy(parse(hash).graph), hash);
});

test("what the worker began with is not asked again, something else is", () => {
  const posted = [];
  const worker = { postMessage: ({ kind }) => posted.push(kind) };
  const hash = "#tab=graph&taskId=A&group=0";
  const reader = createReader({ revision: 1 }, { worker, failed: new Promise(() => {}), hash }, {});
  assert.equal(reader.ask(parse(hash).graph), false);
  assert.equal(reader.ask(parse("#tab=graph&taskId=A&group=1").graph), true);
  assert.equal(reader.ask(parse("#tab=graph&taskId=B&group=1").graph), true);
  assert.deepEqual(posted, ["arrange", "read"]);
});

test("words are looked for in tasks, and in families where there are only these", () => {
  const scene = { whole: false, ids: ["Load_1", "Load_2", "Get_1"], families: [], nodeOf: [0, 0, 1], family: [] };
  assert.deepEqual(matching(scene, ["load"]), { matches: 2, nodes: [0] });
  assert.deepEqual(matching(scene, ["1", "get"]), { matches: 1, nodes: [1] });
  const families = { ...scene, whole: true, families: ["A", "B"], family: [1, 0] };
  assert.deepEqual(matching(families, ["b"]).nodes, [0]);
  assert.deepEqual(hitsOf(scene, " LOAD "), { nodes: [0], words: "2 tasks in 1 node" });
  assert.deepEqual(hitsOf(scene, "get 1"), { nodes: [1], words: "1 task" });
  assert.deepEqual(hitsOf(families, "x"), { nodes: [], words: "0 families" });
  assert.deepEqual(hitsOf(scene, " "), { nodes: [], words: "" });
});

test("one gets up and down within a rank, and elsewhere to what is nearest in height", () => {
  const places = { x: [0, 0.5, 200, 0], y: [0, 90, 40, 30], status: [], families: [], from: [], to: [], ids: [] };
  const scene = withQuestions(places);
  assert.deepEqual([scene.above(3), scene.below(3)], [[0], [1]]);
  assert.equal(nearest(scene, 2, [0, 1, 3]), 3);
  assert.equal(nearest(scene, 2, []), undefined);
});

test("a heading says what is known of a task, and why nothing is shown", () => {
  const scene = { root: "Load_1", count: 1, ids: ["Load_1"], families: ["Load"], family: [0], task: [0], nodeOf: [0] };
  assert.equal(headingOf(scene, ""), "All tasks");
  assert.equal(headingOf(scene, "Load_1"), "Load 1");
  assert.equal(headingOf(scene, "Get_1"), "Get_1", "which is not read yet");
  assert.equal(headingOf(null, "x".repeat(100)).length, 81);
  assert.deepEqual([null, scene, { root: "", count: 0 }].map(stateWords), ["Reading the graph", "", "No tasks yet."]);
  assert.match(stateWords({ root: "Load_1", count: 0 }), /does not know Load_1/);
});

test("neighbours and nodes of tasks and families", () => {
  const tasks = tasksOf({ z: ["PENDING", ["b1", "b2"]], b1: ["DONE", []], b2: ["FAILED", ["b1", "b2"]] });
  const sceneWith = (grouped) => {
    const shown = model.shownNodes(tasks, grouped, new Set());
    const counts = model.statusCounts(shown, tasks.status);
    const layout = layoutGraph(shown.count, shown.from, shown.to, shown.size);
    return withQuestions({ ...tasks, ...shown, ...layout, counts, status: model.nodeStatuses(counts) });
  };
  const [open, closed] = [sceneWith(false), sceneWith(true)];
  assert.deepEqual(
    [open.needs(0), open.neededBy(1)],
    [
      [1, 2],
      [0, 2],
    ],
  );
  assert.deepEqual(open.needs(2), [1]); // not itself
  assert.equal(open.title(2), "b b2, Failed, needs 1, needed by 1");
  assert.equal(closed.title(1), "b 2 tasks, Failed, needs 0, needed by 1");
  assert.deepEqual([closed.nodeOfTask("b2"), closed.nodeOfTask("nobody"), open.nodeOfFamily("nobody")], [1, -1, -1]);
  assert.deepEqual([sameNode(open, 2, closed), sameNode(closed, 1, closed)], [1, 1]);
  const rooted = (scene) => ({ ...scene, root: "z", rooted: true });
  assert.deepEqual(anchorOf(open, 2, closed), { from: 2, to: 1 });
  assert.deepEqual(anchorOf(rooted(open), -1, rooted(closed)), { from: 0, to: 0 });
  for (const before of [null, open]) assert.equal(anchorOf(before, -1, closed), null);
  assert.equal(anchorOf(open, 2, rooted(closed)), null);
});
