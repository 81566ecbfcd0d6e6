// The stage: a canvas with a camera. It shows what the worker has painted (see pictures.js), moved and scaled to where
// the person looks by now, and over that what is marked.

import { resizeCanvas } from "../canvas.js";
import { button, el, show, text } from "../dom.js";
import { between, centred, fitting, opening, panned, seeing, zoomed } from "./camera.js";
import { NO_MARKS, nodeAt, paintMarks } from "./marks.js";
import { createMap } from "./minimap.js";
import { createPictures } from "./pictures.js";
import { listenToPointers } from "./pointers.js";

const GLIDE_MS = 220;
const STEP = 1.4;
const PAN_PX = 80;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {{look: function(string, Object), pick: function(number), pickAgain: function(),
 *   key: function(KeyboardEvent): boolean}} told  `look` as createPictures() has it; `pick` says that a node was
 *   clicked (-1: none), `pickAgain` that it was clicked twice, whatever stands there by now; `key` hears keys first and
 *   says whether it made use of them
 */
export function createStage(told) {
  const canvas = el("canvas", { class: "graph-canvas", tabindex: "0", role: "application", onkeydown: press });
  const context = canvas.getContext("2d");
  const journey = createJourney(touch);
  const map = createMap((point) => journey.jumpTo(centred(point, journey.camera.scale, size)));
  const zooms = zoomBar(zoom, fit);
  const node = el("div", { class: "graph-stage", "aria-busy": "true" }, canvas, map.node, zooms.node);
  const pictures = createPictures(told.look);
  const size = { width: 0, height: 0 };

  let scene = null;
  let palette = null;
  let showsPath = true;
  let marks = NO_MARKS;
  let frame = 0;

  // ---- frames ----

  function touch() {
    if (!frame) frame = requestAnimationFrame(drawFrame);
  }

  function drawNow() {
    cancelAnimationFrame(frame);
    drawFrame(performance.now());
  }

  function drawFrame(now) {
    frame = 0;
    if (!palette || !size.width) return;
    journey.goOn(now);
    const ratio = canvas.width / size.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.page;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const isComplete = scene !== null && drawScene(ratio);
    zooms.update(journey.camera.scale);
    node.setAttribute("aria-busy", String(!isComplete || journey.isUnderWay));
  }

  function drawScene(ratio) {
    const { camera } = journey;
    const isComplete = pictures.draw(context, camera, size, ratio, showsPath);
    paintMarks(context, scene, camera, ratio, marks, palette);
    const mapHelps = pictures.overview && camera.scale > 1.05 * fitting(scene, size).scale;
    show(map.node, mapHelps);
    if (mapHelps) map.update(scene, pictures.overview, camera, size, palette.accent);
    return isComplete;
  }

  // ---- looking around ----

  // The node to begin at: the task asked for, else what everything comes down to.
  const beginning = () => (scene.rooted ? scene.nodeOf[0] : scene.x.indexOf(Math.max(...scene.x)));
  const least = () => Math.min(0.5, fitting(scene, size).scale / 2);
  const pan = (dx, dy) => journey.moveTo(panned(journey.aim, dx, dy));

  function zoom(factor) {
    if (scene) journey.moveTo(zoomed(journey.aim, factor, size.width / 2, size.height / 2, least()));
  }

  function fit() {
    if (scene) journey.moveTo(fitting(scene, size));
  }

  listenToPointers(canvas, {
    pan: (dx, dy) => journey.jumpTo(panned(journey.camera, dx, dy)),
    zoom: (factor, px, py) => scene && journey.jumpTo(zoomed(journey.camera, factor, px, py, least())),
    pick: (px, py) => scene && told.pick(nodeAt(scene, journey.camera, px, py)),
    pickAgain: told.pickAgain,
    hover: (px, py) => scene && hover(px === null ? -1 : nodeAt(scene, journey.camera, px, py)),
  });

  function hover(v) {
    if (v === marks.hovered) return;
    marks = { ...marks, hovered: v };
    canvas.style.cursor = v >= 0 ? "pointer" : "";
    canvas.title = v >= 0 ? scene.title(v) : "";
    touch();
  }

  const KEYS = {
    "+": () => zoom(STEP),
    "=": () => zoom(STEP),
    "-": () => zoom(1 / STEP),
    0: fit,
    ArrowLeft: () => pan(PAN_PX, 0),
    ArrowRight: () => pan(-PAN_PX, 0),
    ArrowUp: () => pan(0, PAN_PX),
    ArrowDown: () => pan(0, -PAN_PX),
  };

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !scene) return;
    if (!told.key(event)) {
      if (!(event.key in KEYS)) return;
      KEYS[event.key]();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // What was in the middle stays there, unless the camera is on its way elsewhere.
  function resize() {
    const fresh = resizeCanvas(canvas);
    if (!fresh) return;
    const isFirst = size.width === 0;
    const { camera } = journey;
    const middle = { x: camera.x + size.width / camera.scale / 2, y: camera.y + size.height / camera.scale / 2 };
    Object.assign(size, fresh);
    if (scene && isFirst) journey.jumpTo(opening(scene, size, beginning()));
    else if (!journey.isUnderWay) journey.jumpTo(centred(middle, camera.scale, size));
    drawNow(); // a canvas that was resized is empty
  }
  new ResizeObserver(resize).observe(canvas);

  return {
    node,
    canvas,
    /** Shows another scene, all of it, or with `anchor` ({from, to}: a node there and here) from where one looked. */
    setScene(wanted, anchor) {
      const { camera } = journey;
      const held = anchor && { x: scene.x[anchor.from] - camera.x, y: scene.y[anchor.from] - camera.y };
      scene = wanted;
      marks = NO_MARKS;
      pictures.forget();
      if (held) journey.jumpTo({ ...camera, x: scene.x[anchor.to] - held.x, y: scene.y[anchor.to] - held.y });
      else if (size.width) journey.jumpTo(opening(scene, size, beginning()));
      drawNow(); // a picture is asked for at once
    },
    setPalette(wanted) {
      palette = wanted;
      pictures.outdate();
      touch();
    },
    /** The colours have changed: what is shown stays until the next picture. */
    repaint() {
      pictures.outdate();
      touch();
    },
    setPath(shown) {
      if (shown === showsPath) return;
      showsPath = shown;
      touch();
    },
    /** Marks a node (-1: none) with its edges, and those that were looked for. */
    setMarks(selected, found) {
      marks = { ...marks, selected, found, edges: selected < 0 ? [] : scene.edgesOf(selected) };
      touch();
    },
    /** Moves to where a node can be seen. */
    see(v) {
      const target = seeing(journey.aim, scene, v, size);
      if (target !== journey.aim) journey.moveTo(target);
    },
    /** Takes what the worker painted. */
    take(name, bitmap, view) {
      pictures.take(name, bitmap, view);
      drawNow();
    },
  };
}

// Where the camera is, and how it gets to where it is going. `moved` is called when there is another step to show.
function createJourney(moved) {
  let camera = { x: 0, y: 0, scale: 1 };
  let glide = null;
  const journey = {
    get camera() {
      return camera;
    },
    /** Where it will have come to. */
    get aim() {
      return glide?.to ?? camera;
    },
    get isUnderWay() {
      return glide !== null;
    },
    jumpTo(target) {
      glide = null;
      camera = target;
      moved();
    },
    moveTo(target) {
      if (still.matches) return journey.jumpTo(target);
      glide = { from: camera, to: target, start: performance.now() };
      moved();
    },
    /** To where it is at this time. */
    goOn(now) {
      if (!glide) return;
      const part = Math.max(0, Math.min(1, (now - glide.start) / GLIDE_MS));
      camera = between(glide.from, glide.to, part * (2 - part));
      if (part === 1) glide = null;
      else moved();
    },
  };
  return journey;
}

function zoomBar(zoom, fit) {
  const percent = el("output", { class: "muted", "aria-label": "Zoom in percent" });
  return {
    node: el(
      "div",
      { class: "graph-zoom", role: "group", "aria-label": "Zoom" },
      percent,
      button("+", () => zoom(STEP), { "aria-label": "Zoom in" }),
      button("−", () => zoom(1 / STEP), { "aria-label": "Zoom out" }),
      button("Fit", fit, { "aria-label": "Show all of it" }),
    ),
    update: (scale) => text(percent, `${Number((100 * scale).toPrecision(2))} %`),
  };
}
