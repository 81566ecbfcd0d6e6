// The stage: a canvas of which only what is in sight is painted. It stays where it is while the lanes scroll behind it.

import { followTheme, resizeCanvas } from "../canvas.js";
import { el } from "../dom.js";
import { paint, paletteOf } from "./drawing.js";
import { fullHeight, runAt, scaleOf, scrollTo, stacked, timeAt } from "./geometry.js";
import { listenToPointers } from "./pointers.js";
import { moved, zoomed } from "./window.js";

const STEP = 1.5;
const PAN = 0.2;
const PAGE = 0.8;

// See geometry.js and drawing.js.
const NOTHING = { view: null, lanes: [], palette: null, marked: null, pointed: null, dragged: null };

const KEYS = {
  __proto__: null,
  "+": (ways) => ways.zoom(STEP),
  "=": (ways) => ways.zoom(STEP),
  "-": (ways) => ways.zoom(1 / STEP),
  PageUp: (ways) => ways.pan(-PAGE),
  PageDown: (ways) => ways.pan(PAGE),
};
const SHIFTED = { __proto__: null, ArrowLeft: (ways) => ways.pan(-PAN), ArrowRight: (ways) => ways.pan(PAN) };

/**
 * @param {{look: function(Object), select: function(Object), point: function(?Object), open: function(Object),
 *   key: function(KeyboardEvent): boolean, now: function(): number, label: function(Object): string,
 *   about: function(Object): string}} told
 *   `look` says which window is to be looked at; `select` that a part of time, {from, to}, was dragged over
 * @param {Promise} styles  resolves when the timeline's own style sheet is there
 */
export function createStage(told, styles) {
  const canvas = el("canvas", { class: "timeline-canvas", tabindex: "0", role: "application", onkeydown: press });
  const room = el("div", { "aria-hidden": "true" });
  const node = el("div", { class: "timeline-stage" }, canvas, room);
  const context = canvas.getContext("2d");
  const size = { width: 0, height: 0, labels: 0 };
  const scene = { ...NOTHING, size, label: told.label, about: told.about };
  let frame = 0;

  // ---- frames ----

  const sceneNow = () => ({ ...scene, scrolled: node.scrollTop, now: told.now() });

  function change(facts) {
    Object.assign(scene, facts);
    if (!frame) frame = requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    if (!scene.view || !scene.palette || !size.width) return;
    const ratio = canvas.width / size.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(context, sceneNow());
  }

  function resize() {
    const fresh = resizeCanvas(canvas);
    if (!fresh) return;
    Object.assign(size, fresh, { labels: Math.min(180, Math.round(fresh.width * 0.27)) });
    cancelAnimationFrame(frame);
    draw(); // a canvas that was resized is empty
  }
  new ResizeObserver(resize).observe(canvas);
  node.addEventListener("scroll", () => change({}), { passive: true });
  styles.then(followTheme(paletteOf, (palette) => change({ palette })));

  // ---- looking around ----

  const ways = waysToLook(scene, told);

  listenToPointers(canvas, size, {
    pan: ways.panBy,
    zoom: ways.zoomAt,
    drag: (dragged) => change({ dragged }),
    choose({ from, to }) {
      const [start, end] = [from, to].sort((a, b) => a - b);
      told.select({ from: timeAt(scene, start), to: timeAt(scene, end) });
    },
    pick(x, y) {
      const run = runAt(sceneNow(), x, y);
      if (run) told.open(run);
    },
    hover: (x, y) => point(x === null ? null : runAt(sceneNow(), x, y)),
  });

  function point(run) {
    if (run === scene.pointed) return;
    change({ pointed: run });
    canvas.style.cursor = run ? "pointer" : "";
    told.point(run);
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !scene.view) return;
    const deed = event.shiftKey && SHIFTED[event.key];
    if (deed) deed(ways);
    else if (!told.key(event)) {
      if (!(event.key in KEYS)) return;
      KEYS[event.key](ways);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  function mark(run) {
    if (run !== scene.marked) change({ marked: run });
  }

  return {
    node,
    canvas,
    zoomIn: () => ways.zoom(STEP),
    zoomOut: () => ways.zoom(1 / STEP),
    earlier: () => ways.pan(-PAN),
    later: () => ways.pan(PAN),
    mark,
    /** Marks a run, and brings its lane into sight. */
    see(run) {
      mark(run);
      const top = scrollTo(sceneNow(), run);
      if (top !== null) node.scrollTop = top;
    },
    /** @param {Array} wanted  see lanesOf() of rows.js */
    setLanes(wanted) {
      const lanes = stacked(wanted);
      room.style.height = `${fullHeight(lanes)}px`;
      change({ lanes });
    },
    setView: (view) => change({ view }),
  };
}

// To look through another window than that of the scene, if it has one already.
function waysToLook(scene, { look, now }) {
  const shift = (seconds) => look(moved(scene.view, seconds, now()));
  const zoomTo = (factor, time) => look(zoomed(scene.view, factor, time, now()));
  const middle = () => timeAt(scene, (scene.size.labels + scene.size.width) / 2);
  return {
    /** By a share of what is in sight. */
    pan: (share) => scene.view && shift(share * (scene.view.to - scene.view.from)),
    panBy: (pixels) => scene.view && shift(pixels / scaleOf(scene)),
    zoom: (factor) => scene.view && zoomTo(factor, scene.view.live ? now() : middle()),
    zoomAt: (factor, x) => scene.view && zoomTo(factor, timeAt(scene, x)),
  };
}
