// The layout of the graph beside dagre's. It needs Node, which says how much CPU time either took.

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";

import { layoutGraph } from "../../visualiser/graph/layout.js";
import { crossingsOfDagre, dagre } from "./dagre.mjs";
import { SHAPES, SMALL } from "./shapes.mjs";

const HEIGHT = 36;

test("no more edges cross than in dagre's layout, for a tenth of its work", { skip: skipWithout(dagre) }, () => {
  const spent = { ours: 0, dagre: 0 };
  const measured = (name, deed) => {
    const start = process.cpuUsage();
    const crossings = deed();
    const { user, system } = process.cpuUsage(start);
    spent[name] += user + system;
    return crossings;
  };
  for (const [shape, count] of Object.entries(SMALL)) {
    const graph = SHAPES[shape](count);
    const ours = measured("ours", () => crossingsOf(graph));
    const theirs = measured("dagre", () => crossingsOfDagre(graph));
    assert.ok(ours <= theirs, `${shape}: ${ours} crossings, dagre has ${theirs}`);
  }
  assert.ok(spent.ours <= spent.dagre / 10, `${spent.ours} µs of CPU time, dagre takes ${spent.dagre}`);
});

const crossingsOf = ({ count, from, to }) =>
  layoutGraph(count, from, to, new Float32Array(count).fill(HEIGHT)).crossings;

// Where CI is set, what is missing is a failure.
function skipWithout(tool) {
  if (tool || process.env.CI) return false;
  return "dagre is not installed: see tests/prepare.sh";
}
