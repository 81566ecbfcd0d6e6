// What the graph does away from the page's thread: reading, laying out, painting, and writing the SVG.
//
// The page posts { kind: "read" | "arrange" | "theme" | "look" | "overview" | "svg", ... }. The worker posts the scene
// (all arrays, transferred), or new colours for it, or that it is unchanged; pictures (of a part, or of all of it:
// bitmaps, transferred); the SVG; and failures. Of several things asked for while it was busy it does the last of each
// kind only. It begins by itself with what the address asked for when it was started, which is its name, and says
// nothing until it has been spoken to: before that nobody listens.

import { call } from "../api.js";
import { askedIn } from "./common.js";
import { paint, prepare } from "./drawing.js";
import { layoutGraph } from "./layout.js";
import * as model from "./model.js";
// What layout.js is made of is named here, too, so that it is fetched along with it.
import "./order.js";
import "./place.js";
import "./ranks.js";

/** The most tasks that are read: what is further away is told, not shown. */
const MOST = 20_000;
const OVERVIEW = 1_200;

let question = null;
let tasks = null;
let scene = null;
let palette = null;

const waiting = new Map([["read", askedIn(name)]]);
let busy = false;

const listened = new Promise((resolve) => {
  onmessage = ({ data }) => {
    resolve();
    waiting.set(data.kind, data);
    if (!busy) work();
  };
});

async function tell(message, transfer = []) {
  await listened;
  postMessage(message, transfer);
}

async function work() {
  busy = true;
  while (waiting.size) {
    const [kind, message] = waiting.entries().next().value;
    waiting.delete(kind);
    try {
      await DEEDS[kind](message);
    } catch (error) {
      tell({ kind: "failed", message: error.message });
    }
    // What arrived meanwhile shall take the place of what waits.
    await new Promise((resume) => setTimeout(resume));
  }
  busy = false;
}

const DEEDS = {
  theme: (message) => (palette = message.palette),
  async read(message) {
    const again = tasks !== null && JSON.stringify(message.question) === JSON.stringify(question);
    const found = await read(message.question);
    const shape = again && model.sameShape(tasks, found);
    question = message.question;
    tasks = found;
    if (shape && scene) recolour();
    else arrange(message.arrangement);
  },
  arrange: (message) => tasks && arrange(message.arrangement),
  look: ({ view }) => scene && postPicture("picture", view),
  overview: ({ edition }) => scene && postPicture("overview", { ...overview(), edition }),
  async svg() {
    const { svgOf } = await import("./svg.js");
    tell({ kind: "svg", text: svgOf(scene, palette) });
  },
};

async function read({ root, up, down, hideDone }) {
  const limits = { task_id: root, up, down, hide_done: hideDone, limit: MOST };
  const reply = await call("graph_view", limits);
  if (root || reply.complete) return model.tasksOfView(reply);
  return model.tasksOfFamilies(await call("graph_view", { ...limits, grouped: true }));
}

function arrange(wanted) {
  const grouped = Boolean(tasks.whole) || (wanted.grouped ?? tasks.ids.length > model.MANY);
  const shown = model.shownNodes(tasks, grouped, new Set(wanted.open));
  const layout = layoutGraph(shown.count, shown.from, shown.to, shown.size);
  scene = {
    ...shown,
    ...layout,
    families: tasks.families,
    ids: tasks.ids,
    more: tasks.more,
    grouped,
    ...colours(shown),
  };
  prepare(scene);
  const { ids, ...rest } = scene;
  const copy = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, ArrayBuffer.isView(value) ? value.slice() : value]),
  );
  const transfer = Object.values(copy)
    .filter(ArrayBuffer.isView)
    .map(({ buffer }) => buffer);
  const { total, complete, whole } = tasks;
  const facts = { total, complete, whole: Boolean(whole), rooted: Boolean(question.root) };
  tell({ kind: "scene", scene: { ...copy, ids, ...facts, root: question.root } }, transfer);
}

function colours(shown) {
  const path = model.criticalPath(tasks, Boolean(question.root));
  const counts = tasks.whole?.counts ?? model.statusCounts(shown, tasks.status);
  return {
    status: model.nodeStatuses(counts),
    counts,
    path: Int32Array.from(path, (v) => shown.nodeOf[v]),
  };
}

function recolour() {
  const fresh = colours(scene);
  const equal = ["status", "counts", "path"].every((name) => String(fresh[name]) === String(scene[name]));
  if (equal) return tell({ kind: "unchanged" });
  Object.assign(scene, fresh);
  prepare(scene);
  tell({ kind: "colours", ...fresh });
}

// All of it, small: for the corner map, and for where no picture has been painted yet.
function overview() {
  const scale = Math.min(1, OVERVIEW / Math.max(scene.width, scene.height));
  const [width, height] = [scene.width, scene.height].map((length) => Math.max(1, Math.ceil(length * scale)));
  return { x: 0, y: 0, scale, width, height, ratio: 1, path: false };
}

function postPicture(kind, view) {
  const canvas = new OffscreenCanvas(Math.ceil(view.width * view.ratio), Math.ceil(view.height * view.ratio));
  paint(canvas.getContext("2d"), scene, view, palette);
  const bitmap = canvas.transferToImageBitmap();
  tell({ kind, bitmap, view }, [bitmap]);
}

work();
