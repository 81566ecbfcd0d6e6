// A layered layout, left to right: what is depended on stands left of what depends on it. Deterministic: the same nodes
// and edges in the same order give the same picture. See ranks.js, order.js and place.js for its three steps.
//
// What hangs together is laid out by itself; several such parts are then put side by side in rows.

import { NODE_WIDTH } from "./names.js";
import { closingEdges, ranksOf } from "./ranks.js";
import { layersOf, orderLayers } from "./order.js";
import { acrossRanks } from "./place.js";

const BETWEEN = 12;
const DUMMY = 9;
const LEAST_GAP = 56;
const MOST_GAP = 2_000;
const STEEPEST = 0.4;
const LEVEL = 0.5;
const BETWEEN_PARTS = 60;
const ASPECT = 1.7;

/**
 * @typedef {Object} Layout
 * @property {Float32Array} x  middle of each node
 * @property {Float32Array} y
 * @property {Int32Array} rank  of each node within its part
 * @property {Uint8Array} closing  1 for edges that close a cycle and are drawn against the direction (or, from a node
 *   to itself, not at all)
 * @property {Float32Array} points  x, y, x, y of each curve. An edge is a straight line from the right side of its left
 *   node to its first curve, through its curves, and on to the left side of its right node
 * @property {Int32Array} curve  number of the first curve of each edge e; curve[e + 1] is behind its last
 * @property {number} width
 * @property {number} height
 * @property {number} crossings
 */

/**
 * @param {number} count  of nodes
 * @param {Int32Array} from  of each edge, what is depended on
 * @param {Int32Array} to  of each edge, what depends on it
 * @param {Float32Array} size  height of each node
 * @returns {Layout}
 */
export function layoutGraph(count, from, to, size) {
  const closing = closingEdges(count, from, to);
  const lows = from.map((v, e) => (closing[e] ? to[e] : v));
  const highs = to.map((v, e) => (closing[e] ? from[e] : v));
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const rank = new Int32Array(count);
  const curves = new Array(from.length);
  let crossings = 0;
  const boxes = partsOf(count, lows, highs).map(({ nodes, edges }) => {
    const part = layoutPart(nodes, edges, lows, highs, size);
    crossings += part.crossings;
    nodes.forEach((v, i) => ([x[v], y[v], rank[v]] = [part.x[i], part.y[i], part.rank[i]]));
    edges.forEach((e, i) => (curves[e] = part.curves[i]));
    return { nodes, edges, width: part.width, height: part.height };
  });
  const { width, height } = putInRows(boxes, (box, dx, dy) => {
    for (const v of box.nodes) {
      x[v] += dx;
      y[v] += dy;
    }
    for (const e of box.edges) curves[e] = curves[e].map((each, i) => each + (i % 2 ? dy : dx));
  });
  return { x, y, rank, closing, ...joined(curves), width, height, crossings };
}

// Nodes that hang together, with the edges between them; the largest part first.
function partsOf(count, lows, highs) {
  const leader = Int32Array.from({ length: count }, (_, v) => v);
  const find = (v) => {
    while (leader[v] !== v) v = leader[v] = leader[leader[v]];
    return v;
  };
  for (let e = 0; e < lows.length; e += 1) {
    const [a, b] = [find(lows[e]), find(highs[e])];
    leader[Math.max(a, b)] = Math.min(a, b);
  }
  const parts = new Map();
  for (let v = 0; v < count; v += 1) {
    const root = find(v);
    if (!parts.has(root)) parts.set(root, { nodes: [], edges: [] });
    parts.get(root).nodes.push(v);
  }
  for (let e = 0; e < lows.length; e += 1) if (lows[e] !== highs[e]) parts.get(find(lows[e])).edges.push(e);
  return [...parts.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}

function layoutPart(nodes, edges, lows, highs, size) {
  if (nodes.length === 1) return loneNode(size[nodes[0]]);
  const local = new Map(nodes.map((v, i) => [v, i]));
  const from = Int32Array.from(edges, (e) => local.get(lows[e]));
  const to = Int32Array.from(edges, (e) => local.get(highs[e]));
  const sizes = Float32Array.from(nodes, (v) => size[v]);
  const rank = ranksOf(nodes.length, from, to);
  const layers = layersOf(nodes.length, rank, from, to);
  const crossings = orderLayers(layers);
  const across = acrossRanks(layers, sizes, { between: BETWEEN, dummy: DUMMY });
  const columns = columnsOf(layers, across);
  const top = sizes.reduce((least, each, v) => Math.min(least, across[v] - each / 2), Infinity);
  const y = across.map((each) => each - top);
  return {
    rank,
    crossings,
    x: sizes.map((_, v) => columns[rank[v]]),
    y,
    curves: edges.map((_, e) => curvesOf(layers, from[e], to[e], e, columns, y)),
    width: columns.at(-1) + NODE_WIDTH / 2,
    height: sizes.reduce((most, each, v) => Math.max(most, y[v] + each / 2), 0),
  };
}

const loneNode = (height) => ({
  x: [NODE_WIDTH / 2],
  y: [height / 2],
  rank: [0],
  curves: [],
  crossings: 0,
  width: NODE_WIDTH,
  height,
});

// The middle of each rank: the higher the edges between two ranks climb, the further apart these stand.
function columnsOf({ first, order, after }, across) {
  const columns = new Float32Array(first.length - 1);
  columns[0] = NODE_WIDTH / 2;
  for (let r = 0; r + 2 < first.length; r += 1) {
    let [climb, n] = [0, 0];
    for (let i = first[r]; i < first[r + 1]; i += 1) {
      const v = order[i];
      for (let k = after.start[v]; k < after.start[v + 1]; k += 1)
        climb += Math.abs(across[after.other[k]] - across[v]);
      n += after.start[v + 1] - after.start[v];
    }
    columns[r + 1] = columns[r] + NODE_WIDTH + Math.min(MOST_GAP, LEAST_GAP + (STEEPEST * climb) / n);
  }
  return columns;
}

// The curves of an edge: one in each gap between ranks in which its height changes.
function curvesOf({ rank, firstDummy }, a, b, e, columns, y) {
  const points = [];
  let height = y[a];
  const climb = (next, r) => {
    if (Math.abs(next - height) < LEVEL) return;
    points.push(columns[r - 1] + NODE_WIDTH / 2, height, columns[r] - NODE_WIDTH / 2, next);
    height = next;
  };
  for (let dummy = firstDummy[e]; dummy < firstDummy[e + 1]; dummy += 1) climb(y[dummy], rank[dummy]);
  climb(y[b], rank[b]);
  return points;
}

// Parts of similar height side by side, in rows, as wide together as is fit for a screen.
function putInRows(boxes, move) {
  const area = boxes.reduce((sum, { width, height }) => sum + (width + BETWEEN) * (height + BETWEEN), 0);
  const limit = Math.max(boxes[0]?.width ?? 0, Math.sqrt(area * ASPECT));
  let [x, y, tall, width, height] = [0, 0, 0, 0, 0];
  for (const box of [...boxes].sort((a, b) => b.height - a.height)) {
    const gap = box.nodes.length > 1 ? BETWEEN_PARTS : BETWEEN;
    if (x > 0 && x + box.width > limit) [x, y, tall] = [0, y + tall, 0];
    move(box, x, y);
    width = Math.max(width, x + box.width);
    height = Math.max(height, y + box.height);
    x += box.width + gap;
    tall = Math.max(tall, box.height + gap);
  }
  return { width, height };
}

function joined(curves) {
  const curve = new Int32Array(curves.length + 1);
  for (let e = 0; e < curves.length; e += 1) curve[e + 1] = curve[e] + (curves[e]?.length ?? 0) / 4;
  const points = new Float32Array(4 * curve[curves.length]);
  curves.forEach((each, e) => each && points.set(each, 4 * curve[e]));
  return { points, curve };
}
