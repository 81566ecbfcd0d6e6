// What is marked on the stage, over the pictures: the node that is selected, with its edges, the one under the pointer,
// those that were looked for, and the task in the middle. And which node is at a point.

import { strokeEdges } from "./drawing.js";
import { NODE_WIDTH } from "./common.js";

const HALF = NODE_WIDTH / 2;
const MOST_FOUND = 2_000;

/** Nodes by number (-1: none), and the edges of the selected one. */
export const NO_MARKS = { selected: -1, hovered: -1, found: [], edges: [] };

/** @param {number} ratio  device pixels to a CSS pixel */
export function paintMarks(context, scene, camera, ratio, { selected, hovered, found, edges }, palette) {
  const factor = ratio * camera.scale;
  const outline = (v, colour, look) => outlineNode(context, scene, v, camera, colour, look);
  context.setTransform(factor, 0, 0, factor, -camera.x * factor, -camera.y * factor);
  strokeEdges(context, scene, edges, camera, { colour: palette.accent, alpha: 1, width: 2 });
  for (const v of found.slice(0, MOST_FOUND)) outline(v, palette.accent, { width: 2, away: 5, dash: [4, 3] });
  if (scene.rooted) outline(scene.nodeOf[0], palette.ink, { width: 2, away: 3 });
  if (hovered >= 0) outline(hovered, palette.muted, { width: 2, away: 2 });
  if (selected >= 0) outline(selected, palette.accent, { width: 3, away: 3 });
}

// Sizes are in CSS pixels, however far out one looks.
function outlineNode(context, { x, y, size }, v, camera, colour, { width, away, dash = [] }) {
  const unit = 1 / Math.min(1, camera.scale);
  const [left, top] = [x[v] - HALF - away * unit, y[v] - size[v] / 2 - away * unit];
  context.strokeStyle = colour;
  context.lineWidth = width * unit;
  context.setLineDash(dash.map((each) => each * unit));
  context.beginPath();
  context.roundRect(left, top, NODE_WIDTH + 2 * away * unit, size[v] + 2 * away * unit, 8 * unit);
  context.stroke();
  context.setLineDash([]);
}

/** The node at a point of the stage, in CSS pixels; -1 if there is none. */
export function nodeAt(scene, camera, px, py) {
  const [x, y] = [camera.x + px / camera.scale, camera.y + py / camera.scale];
  const grace = Math.max(2, 6 / camera.scale - 10); // far out a node is smaller than a finger
  let [best, nearest] = [-1, Infinity];
  for (let v = 0; v < scene.count; v += 1) {
    const across = Math.max(0, Math.abs(scene.x[v] - x) - HALF);
    const down = Math.max(0, Math.abs(scene.y[v] - y) - scene.size[v] / 2);
    if (across + down < nearest) [best, nearest] = [v, across + down];
  }
  return nearest <= grace ? best : -1;
}
