// What the layout is compared with: dagre with its ranks by longest path, the quicker of its ways. Test-only; see
// tests/prepare.sh for where it comes from.

import { pathToFileURL, fileURLToPath } from "node:url";

import { inversions } from "./shapes.mjs";

const directory = process.env.NODE_TOOLS ?? fileURLToPath(new URL("../../.venv/node", import.meta.url));
const address = pathToFileURL(`${directory}/node_modules/@dagrejs/dagre/dist/dagre.esm.js`);

/** dagre, or null where it is not installed. */
export const dagre = await import(address).then(
  (module) => module.default,
  () => null,
);

/** Lays a graph of shapes.mjs out. Returns how many edges cross. */
export function crossingsOfDagre({ count, from, to }) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ ranker: "longest-path", nodesep: 10, ranksep: 50, edgesep: 5 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let v = 0; v < count; v += 1) graph.setNode(String(v), { width: 190, height: 36 });
  from.forEach((dep, e) => graph.setEdge(String(dep), String(to[e]), {}));
  dagre.layout(graph);
  return crossings(graph);
}

// Counted between the ranks that nodes stand in; between these dagre has one more for labels of edges, whose crossings
// are not held against it. Where an edge passes a rank tells the point it bends at there.
function crossings(graph) {
  const level = (y) => Math.round(y * 1000);
  const heights = [...new Set(graph.nodes().map((v) => level(graph.node(v).y)))].sort((a, b) => a - b);
  const rank = new Map(heights.map((y, r) => [y, r]));
  const segments = heights.map(() => []);
  for (const edge of graph.edges()) {
    const ends = [graph.node(edge.v), graph.node(edge.w)];
    const bends = graph
      .edge(edge)
      .points.slice(1, -1)
      .filter(({ y }) => rank.has(level(y)) && y > ends[0].y && y < ends[1].y);
    const stops = [ends[0], ...bends, ends[1]];
    for (let i = 0; i + 1 < stops.length; i += 1)
      segments[rank.get(level(stops[i].y))].push([stops[i].x, stops[i + 1].x]);
  }
  return segments.reduce((sum, some) => sum + inversions(some), 0);
}
