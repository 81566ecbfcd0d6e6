// compare.mjs SHAPE COUNT: the layout beside dagre's on one graph, each once in this process; prints JSON. Seconds
// are of CPU time. For `make bench-page`.

import { layoutGraph } from "../../visualiser/graph/layout.js";
import { crossingsOfDagre, dagre } from "./dagre.mjs";
import { SHAPES } from "./shapes.mjs";

const [shape, count] = process.argv.slice(2);
const graph = SHAPES[shape](Number(count));

function timed(deed) {
  const start = process.cpuUsage();
  const crossings = deed();
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6, crossings };
}

const sizes = new Float32Array(graph.count).fill(36);
const ours = timed(() => layoutGraph(graph.count, graph.from, graph.to, sizes).crossings);
console.log(JSON.stringify({ ours, dagre: dagre && timed(() => crossingsOfDagre(graph)) }));
