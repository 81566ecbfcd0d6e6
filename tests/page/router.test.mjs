// The address: what stock's links open here, and that every state survives the way there and back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { format, parse } from "../../visualiser/router.js";

const DEFAULTS = parse("");

test("an empty address is the table of all tasks", () => {
  assert.equal(DEFAULTS.tab, "tasks");
  assert.deepEqual(DEFAULTS.statuses, []);
  assert.deepEqual([DEFAULTS.sort, DEFAULTS.descending, DEFAULTS.length, DEFAULTS.page], ["status", false, 50, 1]);
});

test("links of stock's page open the same thing", () => {
  const tasks = parse(
    "#tab=tasks&statuses=%5B%22FAILED%22%5D&family=Load&search__search=03-02&order=4,desc&length=100&filterOnServer=1",
  );
  assert.deepEqual(
    [tasks.tab, tasks.statuses, tasks.family, tasks.search, tasks.sort, tasks.descending, tasks.length],
    ["tasks", ["FAILED"], "Load", "03-02", "since", true, 100],
  );
  assert.equal(parse("#tab=resource").tab, "resources");
  assert.equal(parse("#tab=workers").tab, "workers");
  const graph = parse("#tab=graph&taskId=Load_1&hideDone=1&invert=1&visType=svg");
  assert.deepEqual(
    [graph.tab, graph.graph.taskId, graph.graph.hideDone, graph.graph.invert, graph.task],
    ["graph", "Load_1", "1", "1", ""],
  );
});

test("the columns of stock's table have their names here", () => {
  const sorted = [0, 1, 2, 3, 4, 5].map((column) => parse(`order=${column},asc`).sort);
  assert.deepEqual(sorted, ["status", "task", "task", "priority", "since", "status"]);
});

test("every state survives", () => {
  const states = [
    { tab: "workers", page: 3 },
    { statuses: ["FAILED", "UPSTREAM_MISSING_INPUT"], family: "a.b&c=d", search: "x y&z#%", task: "T#1 ü" },
    { worker: "Worker(salt=1, host=a)", params: { date: "2026-01=x", "a b": "", __proto__x: "1" } },
    { since: "-3600", until: "" },
    { since: "2026-01-31T10:20", until: "2026-02-01T00:00:30" },
    { sort: "worker", descending: true, length: 500 },
  ];
  for (const changes of states) {
    const state = { ...DEFAULTS, ...changes };
    assert.deepEqual(parse(format(state)), state);
  }
});

test("what cannot be read falls back to its default", () => {
  const addresses = [
    "tab=toString&order=length,up&length=-3&page=x",
    "tab=__proto__",
    'statuses={"a":1}&page=99999999999',
    "%&%%&=&since=yesterday&until=-&param=nothing&param==x",
    "length=0&order=9,asc",
  ];
  for (const address of addresses) assert.deepEqual(parse(address), DEFAULTS, address);
});

test("a list of statuses may be written without JSON", () => {
  assert.deepEqual(parse("statuses=FAILED,DONE").statuses, ["FAILED", "DONE"]);
});

test("no more rows are asked for than a page may have", () => {
  assert.equal(parse("length=100000").length, 500);
});
