// The layout of the graph: right, and repeatable.

import assert from "node:assert/strict";
import { test } from "node:test";

import { layoutGraph } from "../../visualiser/graph/layout.js";
import { NODE_WIDTH } from "../../visualiser/graph/common.js";
import { countCrossings, layersOf, mergeSort, orderLayers } from "../../visualiser/graph/order.js";
import { closingEdges, ranksOf, topological } from "../../visualiser/graph/ranks.js";
import { SHAPES, SMALL, inversions } from "./shapes.mjs";

const HEIGHT = 36;
const laidOut = ({ count, from, to }) => layoutGraph(count, from, to, new Float32Array(count).fill(HEIGHT));
const graphOf = (count, pairs) => ({
  count,
  from: Int32Array.from(pairs, ([a]) => a),
  to: Int32Array.from(pairs, ([, b]) => b),
});

for (const [shape, count] of Object.entries(SMALL)) {
  test(`${shape}: what is depended on stands left, and nothing overlaps`, () => {
    const graph = SHAPES[shape](count);
    const { x, y, width, height } = laidOut(graph);
    graph.from.forEach((dep, e) => assert.ok(x[dep] + NODE_WIDTH < x[graph.to[e]]));
    const nodes = [...x.keys()].sort((a, b) => x[a] - x[b] || y[a] - y[b]);
    nodes.forEach((v, i) => {
      const next = nodes[i + 1];
      if (next !== undefined && x[next] === x[v]) assert.ok(y[next] - y[v] >= HEIGHT, `${v} and ${next}`);
      assert.ok(x[v] >= NODE_WIDTH / 2 && x[v] <= width - NODE_WIDTH / 2 + 1);
      assert.ok(y[v] >= HEIGHT / 2 - 0.01 && y[v] <= height - HEIGHT / 2 + 1);
    });
  });

  test(`${shape}: the same picture every time`, () => {
    const [first, second] = [laidOut(SHAPES[shape](count)), laidOut(SHAPES[shape](count))];
    for (const name of ["x", "y", "rank", "points", "curve", "closing"])
      assert.deepEqual(first[name], second[name], name);
  });
}

test("crossings are counted as they are seen", () => {
  const graph = SHAPES.skips(300);
  const layers = layersOf(graph.count, ranksOf(graph.count, graph.from, graph.to), graph.from, graph.to);
  const said = orderLayers(layers);
  const { place, rank, after, first } = layers;
  const segments = Array.from(first, () => []);
  for (let v = 0; v < layers.count; v += 1) {
    for (let k = after.start[v]; k < after.start[v + 1]; k += 1)
      segments[rank[v]].push([place[v], place[after.other[k]]]);
  }
  assert.equal(
    said,
    segments.reduce((sum, some) => sum + inversions(some), 0),
  );
  assert.equal(said, countCrossings(layers));
});

test("a graph without crossings is found to be one", () => {
  const pairs = Array.from({ length: 126 }, (_, v) => [v + 1, v >> 1]).map(([a, b]) => [a, b]);
  const shuffled = pairs.map(([a, b]) => [(a * 67) % 127, (b * 67) % 127]);
  assert.equal(laidOut(graphOf(127, shuffled)).crossings, 0);
});

test("every edge leads from the side of one node to the side of the other", () => {
  const graph = SHAPES.skips(300);
  const { x, y, points, curve } = laidOut(graph);
  graph.from.forEach((dep, e) => {
    let [right, height] = [x[dep] + NODE_WIDTH / 2, y[dep]];
    for (let i = 4 * curve[e]; i < 4 * curve[e + 1]; i += 4) {
      assert.ok(points[i] >= right - 0.01 && points[i + 2] > points[i]);
      assert.ok(Math.abs(points[i + 1] - height) < 1, `edge ${e} is in one piece`);
      [right, height] = [points[i + 2], points[i + 3]];
    }
    assert.ok(right <= x[graph.to[e]] - NODE_WIDTH / 2 + 0.01);
    assert.ok(Math.abs(height - y[graph.to[e]]) < 1);
  });
});

test("cycles, loops and pairs both ways are drawn, and as few edges turned as need be", () => {
  const graph = graphOf(6, [
    [0, 1],
    [1, 2],
    [2, 0],
    [2, 3],
    [3, 3],
    [4, 5],
    [5, 4],
  ]);
  const { x, closing } = laidOut(graph);
  assert.equal(
    closing.reduce((sum, each) => sum + each, 0),
    3,
  );
  graph.from.forEach((dep, e) => {
    const [left, right] = closing[e] ? [graph.to[e], dep] : [dep, graph.to[e]];
    if (left !== right) assert.ok(x[left] < x[right]);
  });
});

test("turning the closing edges leaves no cycle", () => {
  const count = 200;
  const pairs = Array.from({ length: 900 }, (_, i) => [(i * 7919) % count, (i * 104729 + 13 * i * i) % count]);
  const { from, to } = graphOf(count, pairs);
  const closing = closingEdges(count, from, to);
  const kept = [...from.keys()].filter((e) => !closing[e]);
  assert.equal(
    new Set(
      topological(
        count,
        Int32Array.from(kept, (e) => from[e]),
        Int32Array.from(kept, (e) => to[e]),
      ),
    ).size,
    count,
  );
});

test("a chain of 100,000 has 100,000 ranks", () => {
  const { count, from, to } = SHAPES.chain(100_000);
  const rank = ranksOf(count, from, to);
  assert.equal(rank.at(-1), 99_999);
});

test("a long chain is a straight line", () => {
  const { y, curve } = laidOut(SHAPES.chain(10_000));
  assert.equal(new Set(y).size, 1);
  assert.equal(curve.at(-1), 0);
});

test("a node stands next to what it is for, not as far left as it could", () => {
  const { from, to } = graphOf(5, [
    [0, 1],
    [1, 2],
    [2, 3],
    [4, 3],
  ]);
  assert.deepEqual([...ranksOf(5, from, to)], [0, 1, 2, 3, 2]);
});

test("parts that do not hang together stand side by side", () => {
  const { x, y } = laidOut(
    graphOf(40, [
      [0, 1],
      [1, 2],
      [3, 4],
    ]),
  );
  const boxes = new Set([...x.keys()].map((v) => `${Math.round(x[v])} ${Math.round(y[v])}`));
  assert.equal(boxes.size, 40);
});

test("nothing at all, and one node", () => {
  assert.equal(laidOut(graphOf(0, [])).x.length, 0);
  assert.deepEqual([...laidOut(graphOf(1, [])).y], [HEIGHT / 2]);
});

test("the sort is right and leaves equals in their order", () => {
  const keys = Float64Array.from({ length: 500 }, (_, i) => (i * 7919) % 50);
  const items = Int32Array.from({ length: 500 }, (_, i) => i);
  const wanted = [...items].sort((a, b) => keys[a] - keys[b] || a - b);
  mergeSort(items, new Int32Array(500), 500, keys);
  assert.deepEqual([...items], wanted);
});

test("the drawing is as large as what is drawn", () => {
  const { width, height } = laidOut(graphOf(2, [[0, 1]]));
  assert.deepEqual([width, height], [2 * NODE_WIDTH + 56, HEIGHT]);
});
