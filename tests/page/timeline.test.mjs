// The timeline: runs from two sources, lanes, gaps, what is unusual, and the window one looks through.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  barOf,
  fullHeight,
  lanesInSight,
  runAt,
  scrollTo,
  stacked,
  timeAt,
  xOf,
} from "../../visualiser/timeline/geometry.js";
import {
  around,
  busyShare,
  fromHistory,
  fromMemory,
  gapsOf,
  lanesOf,
  markSlow,
  merged,
  pack,
  runAcross,
  runAlong,
  sameIn,
  slowOf,
} from "../../visualiser/timeline/rows.js";
import {
  addressOf,
  following,
  isOf,
  landed,
  later,
  moved,
  showing,
  windowOf,
  zoomed,
} from "../../visualiser/timeline/window.js";
import { emptyWords, laneName, slowWords, summaryWords } from "../../visualiser/timeline/wording.js";
import { questionOf } from "../../visualiser/history/runs.js";
import { partOf } from "../../visualiser/history/view.js";
import { format, parse } from "../../visualiser/router.js";

const run = (start, end, more = {}) => ({
  id: `t${start}`,
  family: "F",
  worker: "w",
  status: "DONE",
  start,
  end,
  number: null,
  ...more,
});
const NOW = 1000;

test("a run that both tell of is there once, with its number", () => {
  const live = fromMemory({
    lanes: ["w"],
    families: ["F"],
    statuses: ["RUNNING"],
    runs: [[0, 0, 0, 100.4, null, "a"]],
  });
  const rows = [
    { run_id: 7, task_id: "a", family: "F", worker: null, status: "DONE", started: 100, finished: 105 },
    { run_id: 6, task_id: "a", family: "F", worker: "w", status: "FAILED", started: 50, finished: 60 },
    { run_id: 8, task_id: "b", family: "F", worker: "w", status: "RUNNING", started: 101, finished: null },
  ];
  const all = merged(live, fromHistory(rows));
  assert.deepEqual(
    all.map(({ start, status, number }) => [start, status, number]),
    [
      [50, "FAILED", 6],
      [100.4, "RUNNING", 7],
    ],
  );
});

test("runs at the same time lie below each other, and rows are used again", () => {
  const runs = [run(0, 10), run(5, 8), run(8, 20), run(10, null), run(30, 40)];
  assert.equal(pack(runs), 2);
  assert.deepEqual(
    runs.map(({ row }) => row),
    [0, 1, 1, 0, 1],
  );
});

test("lanes are by name, in its order", () => {
  const runs = [run(0, 1, { worker: "b" }), run(1, 2, { worker: "a", family: "G" }), run(2, 3, { worker: "b" })];
  assert.deepEqual(
    lanesOf(runs, "worker").map(({ name, runs: all }) => [name, all.length]),
    [
      ["a", 1],
      ["b", 2],
    ],
  );
  assert.deepEqual(
    lanesOf(runs, "family").map(({ name }) => name),
    ["F", "G"],
  );
});

test("gaps are between what overlaps nothing, and since the last", () => {
  assert.deepEqual(gapsOf([run(0, 50), run(10, 20), run(80, 90)], 30, 100), [[50, 80]]);
  assert.deepEqual(gapsOf([run(0, 10)], 30, 100), [[10, 100]]);
  assert.deepEqual(gapsOf([run(0, null)], 1, 100), []);
});

test("how busy a lane was counts no moment twice", () => {
  assert.equal(busyShare([run(0, 50), run(25, 75)], 0, 100, 100), 0.75);
  assert.equal(busyShare([run(-50, 10), run(90, null)], 0, 100, 100), 0.2);
  assert.equal(busyShare([], 5, 5, 5), 0);
});

test("unusual is what takes twice the median and longer than nearly all", () => {
  const usual = Array.from({ length: 20 }, (_, n) => run(n, n + 10));
  const [late, going, fine] = [run(100, 200), run(970, null), run(995, null)];
  markSlow([...usual, late, going, fine], new Map(), NOW);
  assert.deepEqual([usual[0].slow, late.slow, going.slow, fine.slow], [false, true, true, false]);
  const expected = new Map([["F", { expected: 100, p95: 150 }]]);
  markSlow([going], expected, NOW);
  assert.deepEqual([going.slow, going.usual], [false, 100]);
  assert.equal(markSlow([run(0, 500)], new Map(), NOW)[0].slow, false, "of too few nothing can be said");
});

test("of what takes longer than usual the runs that go on come first, then the newest", () => {
  const [old, late, going] = [run(0, 10, { slow: true }), run(5, 20, { slow: true }), run(3, null, { slow: true })];
  assert.deepEqual(slowOf([old, going, run(4, 5, { slow: false }), late]), [going, late, old]);
});

test("a run that was read anew is known by its task and its start", () => {
  const [again, other] = [run(5.4, 9, { id: "a" }), run(50, null, { id: "a" })];
  assert.equal(sameIn([other, again], run(5, null, { id: "a" })), again);
  assert.equal(sameIn([other, again], run(5, null, { id: "b" })), null);
});

test("from a run one gets to those beside it, and to the nearest of the next lane", () => {
  const [first, second, above] = [run(0, 5), run(10, 15), run(9, 12, { worker: "a" })];
  const lanes = lanesOf([first, above, second], "worker");
  assert.equal(runAlong(lanes, first, 1), second);
  assert.equal(runAlong(lanes, second, 1), undefined);
  assert.equal(runAlong(lanes, first, -1), undefined);
  assert.equal(runAcross(lanes, second, -1), above);
  assert.equal(runAcross(lanes, above, 1), second);
  assert.equal(runAcross(lanes, above, -1), undefined);
  assert.equal(runAlong(lanes, run(0, 1), 1), undefined, "a run that is in no lane has none beside it");
});

test("what is read covers the window and changes only now and then", () => {
  const { from, to } = around(100, 163);
  assert.ok(from <= 100 && to >= 163);
  assert.deepEqual(around(101, 164), { from, to });
});

test("addresses of windows survive the way there and back", () => {
  assert.equal(windowOf({ span: "", from: "", to: "" }, NOW).live, true);
  for (const wanted of [
    following(900, NOW),
    { from: 100, to: 200, live: false },
    { from: 100.25, to: 101.5, live: false },
  ]) {
    const address = Object.fromEntries(Object.entries(addressOf(wanted)).map(([name, value]) => [name, String(value)]));
    const route = parse(format({ ...parse("tab=timeline"), timeline: { ...parse("").timeline, ...address } }));
    const found = windowOf(route.timeline, NOW);
    assert.deepEqual([found.from, found.to, found.live], [wanted.from, wanted.to, wanted.live]);
  }
});

test("an address is compared with the window that is looked through", () => {
  const still = { from: 100, to: 200, live: false };
  assert.ok(isOf({ span: "", from: "100", to: "200" }, still));
  assert.ok(!isOf({ span: "", from: "100", to: "201" }, still));
  assert.ok(isOf({ span: "900", from: "", to: "" }, following(900, NOW)));
  assert.ok(isOf({ span: "", from: "", to: "" }, following(3600, NOW)));
});

test("a malformed window is the last hour", () => {
  for (const timeline of [{ span: "-5" }, { span: "x" }, { from: "9", to: "3" }, { from: "NaN", to: "Infinity" }]) {
    const { from, to, live } = windowOf(timeline, NOW);
    assert.deepEqual([Math.round(to - from), live], [3600, true]);
  }
});

test("zooming keeps what is pointed at, or now; moving ends at now", () => {
  const still = { from: 0, to: 100, live: false };
  const closer = zoomed(still, 2, 25, NOW);
  assert.deepEqual([closer.from, closer.to], [12.5, 62.5]);
  assert.equal(zoomed(following(100, NOW), 2, NOW, NOW).live, true);
  assert.equal(zoomed(following(100, NOW), 2, NOW - 90, NOW).live, false);
  assert.equal(moved(still, 5000, NOW).live, true);
  assert.equal(moved(following(100, NOW), -50, NOW).live, false);
  assert.ok(zoomed(still, 1e9, 50, NOW).to - zoomed(still, 1e9, 50, NOW).from >= 0.5);
  assert.equal(landed({ from: 0, to: 1e12 }, NOW).live, true);
  assert.equal(later(following(100, NOW), NOW + 10).to, following(100, NOW).to + 10);
});

test("a window moves to show a moment, unless that can be seen in it", () => {
  const still = { from: 0, to: 100, live: false };
  assert.equal(showing(still, 50, NOW), still);
  assert.deepEqual(showing(still, -20, NOW), { from: -70, to: 30, live: false });
  assert.deepEqual(showing(still, 97, NOW), { from: 47, to: 147, live: false }, "its end is too near");
  assert.equal(showing(still, NOW, NOW).live, true);
});

/** A stage of 110 x 126 px, of which 10 px are names: a second to a pixel, from 1000. */
const sceneOf = (lanes, more = {}) => ({
  size: { width: 110, height: 126, labels: 10 },
  view: { from: 1000, to: 1100, live: false },
  lanes: stacked(lanes),
  scrolled: 0,
  now: 1090,
  ...more,
});
const laneWith = (...runs) => ({ name: "w", rows: pack(runs), runs });

test("times are across, and each is where it was asked for", () => {
  const scene = sceneOf([]);
  assert.deepEqual([xOf(scene, 1000), xOf(scene, 1100), timeAt(scene, 35)], [10, 110, 1025]);
});

test("lanes lie below each other, each as high as its rows and as its name", () => {
  const lanes = stacked([{ rows: 1 }, { rows: 4 }, { rows: 0 }]);
  assert.deepEqual(
    lanes.map(({ top, height }) => [top, height]),
    [
      [0, 40],
      [40, 84],
      [124, 40],
    ],
  );
  assert.equal(fullHeight(lanes), 26 + 164);
  assert.equal(fullHeight([]), 26);
});

test("lanes are in sight by how far they were scrolled", () => {
  const tops = (scrolled) => lanesInSight(sceneOf(Array(5).fill({ rows: 1 }), { scrolled })).map(({ top }) => top);
  assert.deepEqual(tops(0), [0, 40, 80]);
  assert.deepEqual(tops(40), [40, 80, 120]);
  assert.deepEqual(tops(41), [40, 80, 120]);
});

test("bars are drawn as far as one can see, and never too thin", () => {
  const scene = sceneOf([laneWith(run(0, 5000), run(1050, 1050), run(1080, null))], { scrolled: 4 });
  const bars = scene.lanes[0].runs.map((each) => barOf(scene, scene.lanes[0], each));
  assert.deepEqual(bars[0], { left: 6, right: 114, top: 30 });
  assert.deepEqual(bars[1], { left: 60, right: 61.5, top: 48 });
  assert.deepEqual(bars[2], { left: 90, right: 100, top: 48 }, "what goes on reaches as far as now");
});

test("a point finds the nearest run of its row, within reach", () => {
  const [long, short, going] = [run(1000, 1060), run(1020, 1022), run(1070, null)];
  const scene = sceneOf([{ rows: 1, runs: [] }, laneWith(long, short, going)]);
  assert.equal(runAt(scene, 40, 80), long);
  assert.equal(runAt(scene, 30, 95), short);
  assert.equal(runAt(scene, 35, 95), short, "a finger is wider than that");
  assert.equal(runAt(scene, 40, 95), null);
  assert.equal(runAt(scene, 95, 80), going);
  assert.equal(runAt({ ...scene, scrolled: 40 }, 40, 40), long);
  for (const [x, y] of [
    [5, 80],
    [40, 20],
    [40, 40],
    [40, 200],
  ])
    assert.equal(runAt(scene, x, y), null);
});

test("what cannot be seen is scrolled to", () => {
  const [here, there] = [run(1000, 1001), run(1000, 1002)];
  const scene = sceneOf([laneWith(here), { rows: 20, runs: [] }, laneWith(there)]);
  assert.equal(scrollTo(scene, here), null);
  assert.equal(scrollTo(scene, there), 40 + 372 + 8 - 63);
  assert.equal(scrollTo({ ...scene, scrolled: 300 }, here), 8 - 63);
  assert.equal(scrollTo(scene, run(0, 1)), null, "it is in no lane");
});

test("what there is in a window is said in words", () => {
  const runs = [run(0, 1), run(0, 1, { status: "DISABLED" }), run(0, null, { status: "RUNNING", slow: true })];
  assert.equal(summaryWords(runs), "3 runs · 1 running · 1 failed · 1 longer than usual");
  assert.equal(summaryWords([]), "0 runs · 0 running · 0 failed");
  assert.equal(slowWords(run(0, 300, { usual: 60 })), "took 5 min, usually 1 min");
  assert.equal(laneName("", "worker"), "no worker known");
  assert.equal(laneName("", "family"), "");
  assert.match(emptyWords({ live: false }, false), /record_task_history/);
  assert.equal(emptyWords({ live: true }, false), "Nothing ran in this time.");
});

test("each part of the history has its address", () => {
  const part = (hash) => partOf(parse(`tab=history&${hash}`));
  assert.deepEqual(["", "part=families", "part=failures", "part=toString", "part=run"].map(part), [
    "runs",
    "families",
    "failures",
    "runs",
    "runs",
  ]);
  assert.deepEqual(["run=5", "of=T_1", "part=family&family=F", "part=family"].map(part), [
    "run",
    "run",
    "family",
    "families",
  ]);
});

test("what the daemon is asked for is what the address says, as far as it has it", () => {
  const question = questionOf(
    parse('tab=history&statuses=["FAILED","UPSTREAM_FAILED"]&family=F&host=h&sorted=-duration&since=-3600'),
  );
  assert.deepEqual(
    [question.status, question.family, question.host, question.sort, question.since, question.limit],
    [["FAILED"], "F", "h", "-duration", "-3600", 50],
  );
  assert.equal(questionOf(parse("tab=history&sorted=constructor")).sort, "-scheduled");
  const byParameter = questionOf(parse("tab=history&sorted=-duration&param=a=b=c"));
  assert.deepEqual([byParameter.param, byParameter.sort], [["a=b=c"], "-scheduled"]);
});
