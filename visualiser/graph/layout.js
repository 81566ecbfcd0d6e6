// A layered layout, left to right: what is depended on stands left of what depends on it. Deterministic: the same nodes
// and edges in the same order give the same picture. See ranks.js, order.js and place.js for its three steps.
//
// What hangs together is laid out by itself; several such parts are then put side by side in rows.

import { NODE_WIDTH } from "./common.js";
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
  const parts = partsOf(count, lows, highs).map((part) => ({ ...part, ...layoutPart(part, lows, highs, size) }));
  const extent = putInRows(parts);
  const crossings = parts.reduce((sum, part) => sum + part.crossings, 0);
  return { ...assembled(count, from.length, parts), closing, ...extent, crossings };
}

// Nodes that hang together, with the edges between them; the largest part first. `local` is the place of each node
// among those of its part.
function partsOf(count, lows, highs) {
  const leader = leadersOf(count, lows, highs);
  const local = new Int32Array(count);
  const parts = new Map();
  for (let v = 0; v < count; v += 1) {
    if (leader[v] === v) parts.set(v, { nodes: [], edges: [], local });
    local[v] = parts.get(leader[v]).nodes.push(v) - 1;
  }
  for (let e = 0; e < lows.length; e += 1) if (lows[e] !== highs[e]) parts.get(leader[lows[e]]).edges.push(e);
  return [...parts.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}

// For each node the first of those that it hangs together with.
function leadersOf(count, lows, highs) {
  const leader = Int32Array.from({ length: count }, (_, v) => v);
  const find = (v) => {
    while (leader[v] !== v) v = leader[v] = leader[leader[v]];
    return v;
  };
  for (let e = 0; e < lows.length; e += 1) {
    const a = find(lows[e]);
    const b = find(highs[e]);
    leader[Math.max(a, b)] = Math.min(a, b);
  }
  for (let v = 0; v < count; v += 1) leader[v] = leader[leader[v]];
  return leader;
}

function layoutPart({ nodes, edges, local }, lows, highs, size) {
  if (nodes.length === 1) return loneNode(size[nodes[0]]);
  const from = Int32Array.from(edges, (e) => local[lows[e]]);
  const to = Int32Array.from(edges, (e) => local[highs[e]]);
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
    ...curvesOf(layers, from, to, columns, y),
    width: columns.at(-1) + NODE_WIDTH / 2,
    height: sizes.reduce((most, each, v) => Math.max(most, y[v] + each / 2), 0),
  };
}

const loneNode = (height) => ({
  rank: [0],
  crossings: 0,
  x: [NODE_WIDTH / 2],
  y: [height / 2],
  points: [],
  curve: [0],
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

// The curves of the edges: one in each gap between ranks in which an edge changes its height.
function curvesOf({ rank, firstDummy }, from, to, columns, y) {
  const points = new Float32Array(4 * (from.length + firstDummy[from.length] - firstDummy[0]));
  const curve = new Int32Array(from.length + 1);
  let filled = 0;
  for (let e = 0; e < from.length; e += 1) {
    let height = y[from[e]];
    for (let dummy = firstDummy[e]; dummy <= firstDummy[e + 1]; dummy += 1) {
      const v = dummy < firstDummy[e + 1] ? dummy : to[e];
      if (Math.abs(y[v] - height) < LEVEL) continue;
      points[filled++] = columns[rank[v] - 1] + NODE_WIDTH / 2;
      points[filled++] = height;
      points[filled++] = columns[rank[v]] - NODE_WIDTH / 2;
      points[filled++] = y[v];
      height = y[v];
    }
    curve[e + 1] = filled / 4;
  }
  return { points, curve };
}

// Gives the parts their places, `left` and `top`: those of similar height side by side, in rows, as wide together as is
// fit for a screen.
function putInRows(parts) {
  const area = parts.reduce((sum, { width, height }) => sum + (width + BETWEEN) * (height + BETWEEN), 0);
  const limit = Math.max(parts[0]?.width ?? 0, Math.sqrt(area * ASPECT));
  let [x, y, tall, width, height] = [0, 0, 0, 0, 0];
  for (const part of [...parts].sort((a, b) => b.height - a.height)) {
    const gap = part.nodes.length > 1 ? BETWEEN_PARTS : BETWEEN;
    if (x > 0 && x + part.width > limit) [x, y, tall] = [0, y + tall, 0];
    Object.assign(part, { left: x, top: y });
    width = Math.max(width, x + part.width);
    height = Math.max(height, y + part.height);
    x += part.width + gap;
    tall = Math.max(tall, part.height + gap);
  }
  return { width, height };
}

// The nodes and curves of all parts, where these have been put.
function assembled(count, edgeCount, parts) {
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const rank = new Int32Array(count);
  const curve = new Int32Array(edgeCount + 1);
  for (const part of parts) {
    part.nodes.forEach((v, i) => {
      x[v] = part.x[i] + part.left;
      y[v] = part.y[i] + part.top;
      rank[v] = part.rank[i];
    });
    part.edges.forEach((e, i) => (curve[e + 1] = part.curve[i + 1] - part.curve[i]));
  }
  for (let e = 0; e < edgeCount; e += 1) curve[e + 1] += curve[e];
  const points = new Float32Array(4 * curve[edgeCount]);
  for (const part of parts) movePoints(part, points, curve);
  return { x, y, rank, points, curve };
}

function movePoints(part, points, curve) {
  part.edges.forEach((e, i) => {
    let filled = 4 * curve[e];
    for (let k = 4 * part.curve[i]; k < 4 * part.curve[i + 1]; k += 2) {
      points[filled++] = part.points[k] + part.left;
      points[filled++] = part.points[k + 1] + part.top;
    }
  });
}
