// What the filters are on the wire, how they are shown, and what is copied of the tasks they let through.

import assert from "node:assert/strict";
import { test } from "node:test";

import { byPackage, shownCounts } from "../../visualiser/families.js";
import { toCsv } from "../../visualiser/bulk.js";
import { pageAt, pageOf } from "../../visualiser/table.js";
import { NO_FILTERS, epochOf, filtersOf, isFiltered, wireFilters, wireOrder } from "../../visualiser/filters.js";
import { parse } from "../../visualiser/router.js";

test("without filters nothing is asked for in particular", () => {
  assert.equal(isFiltered(filtersOf(parse("tab=tasks&page=3&order=since,desc&task=x"))), false);
  const { since, until, ...rest } = wireFilters(NO_FILTERS);
  assert.deepEqual([since, until], [null, null]);
  assert.deepEqual(rest, { status: [], family: [], worker: "", params: {}, search: "" });
});

test("filters combine", () => {
  const filters = filtersOf(parse('statuses=["FAILED"]&family=Load&worker=w1&param=date=2026&search__search=a b'));
  assert.equal(isFiltered(filters), true);
  const { status, family, worker, params, search } = wireFilters(filters);
  assert.deepEqual([status, family, worker, params, search], [["FAILED"], ["Load"], "w1", { date: "2026" }, "a b"]);
});

test("times are relative to the moment they are asked for, or of the reader's clock", () => {
  const before = Date.now() / 1000;
  const hourAgo = epochOf("-3600");
  assert.ok(hourAgo >= before - 3600 && hourAgo <= Date.now() / 1000 - 3600);
  assert.equal(epochOf("2026-01-31T10:20"), new Date(2026, 0, 31, 10, 20).getTime() / 1000);
  assert.equal(epochOf(""), null);
});

test("orders have a name on the wire for every column", () => {
  for (const sort of ["status", "task", "priority", "since", "worker"]) {
    assert.match(wireOrder({ sort, descending: true }), /^-\w+$/);
  }
  assert.equal(wireOrder({ sort: "since", descending: false }), "updated");
});

test("families are grouped by package, those without one first", () => {
  const groups = byPackage(
    [{ family: "" }, { family: "a.b.Load" }, { family: "Train" }, { family: "a.b.Save" }],
    "Train",
  );
  assert.deepEqual(
    groups.map(({ name, entries }) => [name, entries.map(({ family }) => family)]),
    [
      ["", ["", "Train"]],
      ["a.b", ["a.b.Load", "a.b.Save"]],
    ],
  );
});

test("each task is counted once", () => {
  const counts = shownCounts({ PENDING: 5, DONE: 2 }, { UPSTREAM_FAILED: 2, UPSTREAM_DISABLED: 1 });
  assert.deepEqual(counts, { PENDING: 2, DONE: 2, UPSTREAM_FAILED: 2, UPSTREAM_DISABLED: 1 });
  assert.equal(shownCounts({ PENDING: 1 }, { UPSTREAM_FAILED: 2 }).PENDING, 0);
});

test("a page past the end is the last one", () => {
  assert.deepEqual(pageAt(9, 50, 120), { number: 3, last: 3, start: 100, total: 120, shown: 20 });
  assert.deepEqual(pageAt(1, 50, 0), { number: 1, last: 1, start: 0, total: 0, shown: 0 });
  assert.deepEqual(pageOf(["a", "b", "c"], 2, 2).items, ["c"]);
});

test("CSV has a column for each parameter, and quotes what needs it", () => {
  const task = { id: "A", name: "F", status: "DONE", priority: 1, last_updated: 0, params: { x: 'say "hi", twice' } };
  const [head, first, second] = toCsv([task, { ...task, id: "B", params: { y: "two\nlines" } }]).split("\r\n");
  assert.match(head, /^id,family,.*,param\.x,param\.y$/);
  assert.match(first, /^A,F,DONE,1,1970-01-01T00:00:00\.000Z,.*,"say ""hi"", twice",$/);
  assert.match(second, /,,"two\nlines"$/);
});

test("CSV runs nothing in a spreadsheet, and leaves numbers numbers", () => {
  const line = (value) => toCsv([{ id: value, params: {} }]).split("\r\n")[1];
  assert.match(line("=HYPERLINK(1)"), /^'=/);
  assert.match(line("@SUM(1)"), /^'@/);
  assert.match(line("-5"), /^-5,/);
});
