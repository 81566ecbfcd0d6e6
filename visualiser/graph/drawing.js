// Painting a scene on a canvas: only what is in view, and of that as much as can be told apart at the zoom.
//
// Status shows by colour, by the drawing of its icon and by the box's border and filling; far out, where a node has a
// few pixels, by its size: what is in trouble or running is painted last and larger.

import { NODE_WIDTH, STATUS_NAMES, countsOf, nameOf } from "./common.js";

const HALF = NODE_WIDTH / 2;

// From which zoom on …
const TEXT_SCALE = 0.5;
const NAME_SCALE = 0.3;
const BOX_SCALE = 0.15;
const CURVE_SCALE = 0.08;
const ARROW_SCALE = 0.3;

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
export const TITLE_FONT = `600 12px ${FONT}`;
export const DETAIL_FONT = `11px ${FONT}`;
const COARSE_FONT = `600 20px ${FONT}`;
const ICON = 16;
const COARSE_ICON = 28;
const TEXT_LEFT = 34;
const TEXT_WIDTH = NODE_WIDTH - TEXT_LEFT - 10;
const FAINTEST = 0.16;

/** Dashes of the borders, by status; those in LOUD are filled, the others only outlined. */
export const DASHES = {
  UNKNOWN: [5, 4],
  UPSTREAM_MISSING_INPUT: [2, 3],
  UPSTREAM_FAILED: [2, 3],
  UPSTREAM_DISABLED: [2, 3],
  DISABLED: [9, 3],
};
export const LOUD = new Set(["RUNNING", "BATCH_RUNNING", "FAILED", "DISABLED"]);

/** Works out what painting needs beside a new scene's arrays: how far each edge reaches, what lies on the path. */
export function prepare(scene) {
  const { from, to, closing, x, y, points, curve, path } = scene;
  if (!scene.reach) {
    scene.reach = new Float32Array(4 * from.length);
    for (let e = 0; e < from.length; e += 1) {
      const [a, b] = closing[e] ? [to[e], from[e]] : [from[e], to[e]];
      let [top, bottom] = [Math.min(y[a], y[b]), Math.max(y[a], y[b])];
      for (let i = 4 * curve[e] + 1; i < 4 * curve[e + 1]; i += 2) {
        top = Math.min(top, points[i]);
        bottom = Math.max(bottom, points[i]);
      }
      scene.reach.set([x[a], top, x[b], bottom], 4 * e);
    }
  }
  scene.onPath = new Uint8Array(scene.count);
  for (const v of path) scene.onPath[v] = 1;
  const next = new Map();
  for (let i = 0; i + 1 < path.length; i += 1) if (path[i] !== path[i + 1]) next.set(path[i], path[i + 1]);
  scene.edgeOnPath = Uint8Array.from(from, (a, e) => next.get(a) === to[e]);
}

/**
 * Paints what is in view.
 * @param view  {x, y: the scene's point in the corner, scale, width, height: of the canvas in CSS pixels, ratio: device
 *   pixels to each of these, path: whether to show the longest chain}
 * @param palette  {page, surface, ink, muted, edge, accent, chain: colours; tones: colours by status, icons: path data
 *   by status}
 */
export function paint(context, scene, view, palette) {
  const { x, y, scale, width, height, ratio } = view;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, -x * scale * ratio, -y * scale * ratio);
  const area = { left: x, top: y, right: x + width / scale, bottom: y + height / scale };
  const { plain, chain, cyclic } = edgesIn(scene, area, view.path);
  const nodes = nodesIn(scene, area);
  const alpha = Math.max(FAINTEST, Math.min(0.8, (scale >= TEXT_SCALE ? 30 : 13) / Math.sqrt(plain.length + 1)));
  strokeEdges(context, scene, plain, view, { colour: palette.edge, alpha, width: 1.1 });
  strokeEdges(context, scene, cyclic, view, { colour: palette.tones.FAILED, alpha: 1, width: 1.6, dash: [6, 4] });
  if (scale >= BOX_SCALE) {
    strokeEdges(context, scene, chain, view, { colour: palette.chain, alpha: 1, width: 3 });
    const paintNode = scale >= TEXT_SCALE ? paintBox : paintCoarseBox;
    for (const v of nodes) paintNode(context, scene, v, view, palette);
  } else {
    paintDots(context, scene, nodes, scale, palette);
    strokeEdges(context, scene, chain, view, { colour: palette.chain, alpha: 1, width: 2.5 });
    if (view.path) throughNodes(context, scene);
  }
}

// Far out the longest chain is one line, over the nodes too.
function throughNodes(context, { path, x, y }) {
  context.beginPath();
  for (const v of path) {
    context.moveTo(x[v] - HALF, y[v]);
    context.lineTo(x[v] + HALF, y[v]);
  }
  context.stroke();
}

function nodesIn({ count, x, y, size }, { left, top, right, bottom }) {
  const found = [];
  for (let v = 0; v < count; v += 1) {
    const inside = x[v] + HALF >= left && x[v] - HALF <= right && y[v] + size[v] >= top && y[v] - size[v] <= bottom;
    if (inside) found.push(v);
  }
  return found;
}

// ---- edges ----

const AT_ONCE = 400; // one path of many lines is slower than many paths of some

// The edges that are at least partly in view, by how they are drawn.
function edgesIn({ from, reach, cyclic, edgeOnPath }, { left, top, right, bottom }, showsPath) {
  const found = { plain: [], chain: [], cyclic: [] };
  for (let e = 0; e < from.length; e += 1) {
    if (reach[4 * e] > right || reach[4 * e + 2] < left || reach[4 * e + 1] > bottom || reach[4 * e + 3] < top)
      continue;
    found[cyclic[e] ? "cyclic" : showsPath && edgeOnPath[e] ? "chain" : "plain"].push(e);
  }
  return found;
}

/** Strokes some edges; `width` and `dash` are in CSS pixels, but not thicker than at a zoom of 1. */
export function strokeEdges(context, scene, edges, { scale }, { colour, alpha, width, dash = [] }) {
  const unit = 1 / Math.min(1, Math.max(scale, 1e-6));
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.setLineDash(dash.map((each) => each * unit));
  for (let begin = 0; begin < edges.length; begin += AT_ONCE) {
    context.beginPath();
    for (let i = begin; i < Math.min(edges.length, begin + AT_ONCE); i += 1) trace(context, scene, edges[i], scale);
    context.lineWidth = width * (scale > CURVE_SCALE ? Math.min(unit, 2) : unit * 0.8);
    context.stroke();
  }
  context.setLineDash([]);
  if (scale >= ARROW_SCALE) for (const e of edges) arrow(context, scene, e);
  context.globalAlpha = 1;
}

/** Adds an edge to the context's path; far out without its curves. */
export function trace(context, { from, to, closing, x, y, size, points, curve }, e, scale) {
  if (from[e] === to[e]) return loop(context, x[from[e]], y[from[e]] - size[from[e]] / 2);
  const [a, b] = closing[e] ? [to[e], from[e]] : [from[e], to[e]];
  context.moveTo(x[a] + HALF, y[a]);
  for (let i = 4 * curve[e]; i < 4 * curve[e + 1]; i += 4) {
    const [left, start, right, end] = [points[i], points[i + 1], points[i + 2], points[i + 3]];
    context.lineTo(left, start);
    const middle = (left + right) / 2;
    if (scale >= CURVE_SCALE) context.bezierCurveTo(middle, start, middle, end, right, end);
    else context.lineTo(right, end);
  }
  context.lineTo(x[b] - HALF, y[b]);
}

// A task that depends on itself.
function loop(context, x, top) {
  context.moveTo(x + 30, top);
  context.bezierCurveTo(x + 30, top - 24, x + 60, top - 24, x + 60, top);
}

function arrow(context, { from, to, closing, x, y, size }, e) {
  if (from[e] === to[e]) return head(context, x[from[e]] + 60, y[from[e]] - size[from[e]] / 2, 0, 1);
  const v = to[e];
  head(context, x[v] + (closing[e] ? HALF : -HALF), y[v], closing[e] ? -1 : 1, 0);
}

function head(context, x, y, dx, dy) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - 7 * dx - 3.5 * dy, y - 7 * dy - 3.5 * dx);
  context.lineTo(x - 7 * dx + 3.5 * dy, y - 7 * dy + 3.5 * dx);
  context.fill();
}

// ---- nodes ----

function paintDots(context, scene, nodes, scale, palette) {
  const { x, y, size, status, task } = scene;
  const least = 2 / scale;
  const loud = nodes.filter((v) => LOUD.has(STATUS_NAMES[status[v]]));
  for (const [group, some] of [nodes, loud].entries()) {
    for (const v of some) {
      const name = STATUS_NAMES[status[v]];
      const grown = group ? 1.6 : 1;
      const width = Math.max(NODE_WIDTH, least * 2 * grown);
      const height = Math.max(size[v], least * grown);
      if (task[v] < 0) {
        shares(context, scene, v, x[v] - width / 2, y[v] - height / 2, width, height, palette);
        continue;
      }
      context.fillStyle = palette.tones[name];
      context.globalAlpha = LOUD.has(name) ? 1 : 0.6;
      context.fillRect(x[v] - width / 2, y[v] - height / 2, width, height);
    }
  }
  context.globalAlpha = 1;
}

// The shares of the statuses among the tasks of a family.
function shares(context, scene, v, x, y, width, height, palette) {
  const own = countsOf(scene, v);
  const total = sum(own);
  let at = x;
  own.forEach((n, status) => {
    context.fillStyle = palette.tones[STATUS_NAMES[status]];
    context.fillRect(at, y, (width * n) / total, height);
    at += (width * n) / total;
  });
}

function paintBox(context, scene, v, { path }, palette) {
  const { x, y, size, task, status, onPath, more } = scene;
  const [left, top, height] = [x[v] - HALF, y[v] - size[v] / 2, size[v]];
  const name = STATUS_NAMES[status[v]];
  const tone = palette.tones[name];
  const isGroup = task[v] < 0;
  if (isGroup) {
    box(context, left + 4, top + 4, height);
    outline(context, palette.edge, 1, []);
  }
  box(context, left, top, height);
  ground(context, palette.surface, 1);
  if (!isGroup && LOUD.has(name)) ground(context, tone, 0.14);
  outline(context, isGroup && name !== "FAILED" ? palette.edge : tone, LOUD.has(name) ? 1.8 : 1.1, DASHES[name] ?? []);
  if (path && onPath[v]) markOnPath(context, left, top, height, palette);
  if (isGroup) return groupText(context, scene, v, palette);
  icon(context, left + 9, y[v] - ICON / 2, ICON, tone, palette.icons[name]);
  taskText(context, scene, v, palette);
  if (more[task[v]]) dots(context, left + NODE_WIDTH - 3, y[v], palette.muted);
}

// Where the text cannot be read: more colour, a larger icon, and the family alone as long as that can be.
function paintCoarseBox(context, scene, v, { scale, path }, palette) {
  const { x, y, size, task, status, onPath } = scene;
  const [left, top, height] = [x[v] - HALF, y[v] - size[v] / 2, size[v]];
  const name = STATUS_NAMES[status[v]];
  const tone = palette.tones[name];
  const loud = LOUD.has(name);
  box(context, left, top, height);
  ground(context, palette.surface, 1);
  if (task[v] < 0) {
    shares(context, scene, v, left + 8, top + height - 18, NODE_WIDTH - 16, 10, palette);
    outline(context, palette.edge, 2, []);
  } else {
    ground(context, tone, loud ? 1 : 0.2);
    outline(context, tone, 1.5, DASHES[name] ?? []);
    icon(context, left + 5, y[v] - COARSE_ICON / 2, COARSE_ICON, loud ? palette.surface : tone, palette.icons[name]);
  }
  if (path && onPath[v]) markOnPath(context, left, top, height, palette);
  if (scale < NAME_SCALE) return;
  const indent = task[v] < 0 ? 10 : COARSE_ICON + 10;
  const colour = loud && task[v] >= 0 ? palette.surface : palette.ink;
  const bottom = task[v] < 0 ? top + 24 : y[v] + 7;
  write(context, nameOf(scene, v)[0], COARSE_FONT, colour, left + indent, bottom, NODE_WIDTH - indent - 6);
}

function markOnPath(context, left, top, height, palette) {
  box(context, left - 3, top - 3, height + 6, 6);
  outline(context, palette.chain, 2.5, []);
}

function ground(context, colour, alpha) {
  context.globalAlpha = alpha;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
}

function box(context, left, top, height, wider = 0) {
  context.beginPath();
  context.roundRect(left, top, NODE_WIDTH + wider, height, 7);
}

function outline(context, colour, width, dash) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

const drawings = new Map();

function icon(context, left, top, wide, tone, drawing) {
  if (!drawings.has(drawing)) drawings.set(drawing, new Path2D(drawing));
  context.save();
  context.translate(left, top);
  context.scale(wide / ICON, wide / ICON);
  context.strokeStyle = tone;
  context.lineWidth = 1.6;
  context.lineCap = context.lineJoin = "round";
  context.stroke(drawings.get(drawing));
  context.restore();
}

// Neighbours that are not shown.
function dots(context, right, y, colour) {
  context.fillStyle = colour;
  for (const i of [0, 1, 2]) context.fillRect(right - 4, y - 6 + 5 * i, 2, 2);
}

function taskText(context, scene, v, palette) {
  const { x, y } = scene;
  const left = x[v] - HALF + TEXT_LEFT;
  const [title, detail] = nameOf(scene, v);
  write(context, title, TITLE_FONT, palette.ink, left, y[v] + (detail ? -3 : 4));
  if (detail) write(context, detail, DETAIL_FONT, palette.muted, left, y[v] + 11);
}

function groupText(context, scene, v, palette) {
  const { x, y, size, families, family } = scene;
  const left = x[v] - HALF + 12;
  const top = y[v] - size[v] / 2;
  write(context, families[family[v]], TITLE_FONT, palette.ink, left, top + 17, NODE_WIDTH - 24);
  write(context, groupWords(countsOf(scene, v)), DETAIL_FONT, palette.muted, left, top + 32, NODE_WIDTH - 24);
  shares(context, scene, v, left, top + size[v] - 14, NODE_WIDTH - 24, 6, palette);
}

const sum = (counts) => counts.reduce((total, n) => total + n, 0);
const TROUBLE = { FAILED: "failed", DISABLED: "disabled", RUNNING: "running" };

/** "1,204 tasks · 3 failed": what a family's box says. */
export function groupWords(counts) {
  const parts = Object.entries(TROUBLE).map(([name, word]) => [counts[STATUS_NAMES.indexOf(name)], word]);
  const some = parts.filter(([n]) => n).map(([n, word]) => `${n.toLocaleString()} ${word}`);
  return [`${sum(counts).toLocaleString()} tasks`, ...some].join(" · ");
}

const fitting = new Map();

function write(context, words, font, colour, left, bottom, width = TEXT_WIDTH) {
  context.font = font;
  context.fillStyle = colour;
  const key = `${font}${width}${words}`;
  if (!fitting.has(key))
    fitting.set(
      key,
      fitted(words, width, (part) => context.measureText(part).width),
    );
  context.fillText(fitting.get(key), left, bottom);
}

/** As much of the words as fits into a width, with an ellipsis where something is left out. */
export function fitted(words, width, measure) {
  const shown = words.slice(0, 200).replace(/\s+/g, " ");
  if (measure(shown) <= width && shown.length === words.length) return shown;
  let [fits, fails] = [0, shown.length + 1];
  while (fits + 1 < fails) {
    const middle = (fits + fails) >> 1;
    if (measure(`${shown.slice(0, middle)}…`) <= width) fits = middle;
    else fails = middle;
  }
  return `${shown.slice(0, fits)}…`;
}
