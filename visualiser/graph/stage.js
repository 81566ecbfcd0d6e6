// The stage: a canvas that shows pictures painted by the worker, moved and scaled to where the person looks by now, and
// over them what is marked. Painting ten thousand nodes takes a while; moving a picture of them does not, so panning
// and zooming never wait. A picture is larger than the stage; where it ends the overview stands in until the next one
// is there.

import { button, el, text } from "../dom.js";
import { between, centred, fitting, opening, panned, seeing, zoomed } from "./camera.js";
import { strokeEdges } from "./drawing.js";
import { NODE_WIDTH } from "./names.js";

const HALF = NODE_WIDTH / 2;
const MARGIN = 0.25; // of a picture, on each side, in stages
const GLIDE_MS = 220;
const SETTLE_MS = 70;
const CLICK_PX = 5;
const TWICE_MS = 400;
const STEP = 1.4;
const PAN_PX = 80;
const MOST_MARKED = 2_000;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {{look: function(string, Object), pick: function(number), pickAgain: function(),
 *   key: function(KeyboardEvent): boolean}} told  `look` asks for a picture of a view, or for the overview; `pick` says
 *   that a node was clicked (-1: none), `pickAgain` that it was clicked twice, whatever stands there by now; `key`
 *   hears keys first and says whether it made use of them
 */
export function createStage(told) {
  const canvas = el("canvas", { class: "graph-canvas", tabindex: "0", role: "application" });
  const map = el("canvas", { class: "graph-map", "aria-hidden": "true", width: 176, height: 112 });
  const percent = el("output", { class: "muted", "aria-label": "Zoom in percent" });
  const zooms = el(
    "div",
    { class: "graph-zoom", role: "group", "aria-label": "Zoom" },
    percent,
    button("+", () => zoom(STEP), { class: "button", "aria-label": "Zoom in" }),
    button("−", () => zoom(1 / STEP), { class: "button", "aria-label": "Zoom out" }),
    button("Fit", () => fit(), { class: "button", "aria-label": "Show all of it" }),
  );
  const node = el("div", { class: "graph-stage", "aria-busy": "true" }, canvas, map, zooms);
  const context = canvas.getContext("2d");
  const size = { width: 0, height: 0 };

  let scene = null;
  let palette = null;
  let camera = { x: 0, y: 0, scale: 1 };
  let showPath = true;
  let picture = null;
  let overview = null;
  let edition = 0; // of scene and colours: a picture of an earlier one stands in until the next has come
  let asked = null;
  let timer = 0;
  let frame = 0;
  let glide = null;
  let marks = { selected: -1, hovered: -1, found: [], edges: [] };

  // ---- frames ----

  function touch() {
    if (!frame) frame = requestAnimationFrame(drawFrame);
  }

  function drawFrame(now) {
    frame = 0;
    if (glide) {
      const part = Math.min(1, (now - glide.start) / GLIDE_MS);
      camera = between(glide.from, glide.to, part * (2 - part));
      if (part === 1) glide = null;
      else touch();
    }
    if (!palette || !size.width) return;
    const ratio = canvas.width / size.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.page;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (scene) {
      if (overview && !covers(picture, 0)) place(overview, ratio);
      if (picture) place(picture, ratio);
      drawMarks(ratio);
      drawMap();
      askForPicture();
    }
    text(percent, `${Number((100 * camera.scale).toPrecision(2))} %`);
    node.setAttribute("aria-busy", String(!scene || busy()));
  }

  const busy = () => glide !== null || asked !== null || !matches(picture);

  function place({ bitmap, view }, ratio) {
    const factor = (camera.scale / view.scale) * ratio;
    const [left, top] = [(view.x - camera.x) * camera.scale * ratio, (view.y - camera.y) * camera.scale * ratio];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.imageSmoothingEnabled = Math.abs(factor * view.ratio - 1) > 1e-6 || factor !== ratio;
    context.drawImage(bitmap, Math.round(left), Math.round(top), view.width * factor, view.height * factor);
  }

  const matches = (shot) =>
    covers(shot, 0) &&
    shot.view.edition === edition &&
    shot.view.path === showPath &&
    Math.abs(shot.view.scale / camera.scale - 1) < 1e-6;

  function covers(shot, margin) {
    if (shot === null) return false;
    const { x, y, scale, width, height } = shot.view;
    const [across, down] = [(margin * size.width) / camera.scale, (margin * size.height) / camera.scale];
    return (
      x <= camera.x - across &&
      y <= camera.y - down &&
      x + width / scale >= camera.x + size.width / camera.scale + across &&
      y + height / scale >= camera.y + size.height / camera.scale + down
    );
  }

  // One at a time; while things move only when the picture ends, else once they have come to rest.
  function askForPicture() {
    clearTimeout(timer);
    if (asked || matches(picture)) return;
    if (!covers(picture, 0) || picture.view.edition !== edition) lookNow();
    else timer = setTimeout(lookNow, SETTLE_MS);
  }

  function lookNow() {
    clearTimeout(timer);
    if (asked || !scene) return;
    const width = Math.ceil(size.width * (1 + 2 * MARGIN));
    const height = Math.ceil(size.height * (1 + 2 * MARGIN));
    const x = camera.x - (MARGIN * size.width) / camera.scale;
    const y = camera.y - (MARGIN * size.height) / camera.scale;
    asked = { x, y, scale: camera.scale, width, height, ratio: canvas.width / size.width, path: showPath, edition };
    told.look("look", { view: asked });
  }

  // ---- what is marked ----

  function drawMarks(ratio) {
    const factor = ratio * camera.scale;
    context.setTransform(factor, 0, 0, factor, -camera.x * factor, -camera.y * factor);
    const { selected, hovered, found, edges } = marks;
    if (selected >= 0) {
      strokeEdges(context, scene, edges, camera, { colour: palette.accent, alpha: 1, width: 2 });
    }
    for (const v of found.slice(0, MOST_MARKED)) outline(v, palette.accent, 2, 5, [4, 3]);
    if (scene.rooted) outline(scene.nodeOf[0], palette.ink, 2, 3, []);
    if (hovered >= 0) outline(hovered, palette.muted, 2, 2, []);
    if (selected >= 0) outline(selected, palette.accent, 3, 3, []);
  }

  function outline(v, colour, width, distance, dash) {
    const unit = 1 / Math.min(1, camera.scale);
    const away = distance * unit;
    context.strokeStyle = colour;
    context.lineWidth = width * unit;
    context.setLineDash(dash.map((each) => each * unit));
    context.beginPath();
    const [left, top] = [scene.x[v] - HALF - away, scene.y[v] - scene.size[v] / 2 - away];
    context.roundRect(left, top, NODE_WIDTH + 2 * away, scene.size[v] + 2 * away, 8 * unit);
    context.stroke();
    context.setLineDash([]);
  }

  function mapScale() {
    return Math.min(map.width / scene.width, map.height / scene.height);
  }

  function drawMap() {
    const away = camera.scale > 1.05 * fitting(scene, size).scale;
    map.hidden = !away || !overview;
    if (map.hidden) return;
    const scale = mapScale();
    const ground = map.getContext("2d");
    ground.imageSmoothingQuality = "high";
    ground.clearRect(0, 0, map.width, map.height);
    const { bitmap } = overview;
    const [left, top] = [(map.width - scene.width * scale) / 2, (map.height - scene.height * scale) / 2];
    ground.drawImage(bitmap, left, top, Math.max(1, scene.width * scale), Math.max(1, scene.height * scale));
    ground.strokeStyle = palette.accent;
    ground.lineWidth = 1.5;
    ground.strokeRect(
      left + camera.x * scale,
      top + camera.y * scale,
      Math.max(4, (size.width / camera.scale) * scale),
      Math.max(4, (size.height / camera.scale) * scale),
    );
  }

  // ---- looking around ----

  const least = () => Math.min(0.5, fitting(scene, size).scale / 2);

  function moveTo(target) {
    if (still.matches) camera = target;
    else glide = { from: camera, to: target, start: performance.now() };
    touch();
  }

  function jumpTo(target) {
    glide = null;
    camera = target;
    touch();
  }

  const aim = () => glide?.to ?? camera;
  const zoom = (factor) => scene && moveTo(zoomed(aim(), factor, size.width / 2, size.height / 2, least()));
  const fit = () => scene && moveTo(fitting(scene, size));
  const pan = (dx, dy) => moveTo(panned(aim(), dx, dy));

  function nodeAt(event) {
    if (!scene) return -1;
    const bounds = canvas.getBoundingClientRect();
    const x = camera.x + (event.clientX - bounds.left) / camera.scale;
    const y = camera.y + (event.clientY - bounds.top) / camera.scale;
    const grace = Math.max(2, 6 / camera.scale - 10); // far out a node is smaller than a finger
    let [best, nearest] = [-1, Infinity];
    for (let v = 0; v < scene.count; v += 1) {
      const across = Math.max(0, Math.abs(scene.x[v] - x) - HALF);
      const down = Math.max(0, Math.abs(scene.y[v] - y) - scene.size[v] / 2);
      if (across + down < nearest) [best, nearest] = [v, across + down];
    }
    return nearest <= grace ? best : -1;
  }

  const apart = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  const fingers = new Map();
  let dragged = 0;
  let click = null;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    dragged = fingers.size > 1 ? Infinity : 0;
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!scene) return;
    if (!before) return hover(nodeAt(event));
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    dragged += Math.abs(dx) + Math.abs(dy);
    if (fingers.size === 2) pinch(before, event);
    else if (dragged > CLICK_PX) jumpTo(panned(camera, dx, dy));
    fingers.set(event.pointerId, event);
  });

  function pinch(before, event) {
    const other = [...fingers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    const bounds = canvas.getBoundingClientRect();
    const [px, py] = [
      (event.clientX + other.clientX) / 2 - bounds.left,
      (event.clientY + other.clientY) / 2 - bounds.top,
    ];
    const [dx, dy] = [(event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2];
    jumpTo(panned(zoomed(camera, apart(event, other) / Math.max(1, apart(before, other)), px, py, least()), dx, dy));
  }

  function lift(event) {
    const known = fingers.delete(event.pointerId);
    if (!known || event.type !== "pointerup" || dragged > CLICK_PX) return;
    const twice = click && event.timeStamp - click.timeStamp < TWICE_MS && apart(event, click) <= CLICK_PX;
    click = twice ? null : event;
    if (twice) told.pickAgain();
    else told.pick(nodeAt(event));
  }
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => hover(-1));

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!scene) return;
      event.preventDefault();
      const bounds = canvas.getBoundingClientRect();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
      const factor = Math.exp(-Math.max(-120, Math.min(120, pixels)) * (event.ctrlKey ? 0.01 : 0.002));
      jumpTo(zoomed(camera, factor, event.clientX - bounds.left, event.clientY - bounds.top, least()));
    },
    { passive: false },
  );

  function hover(v) {
    canvas.style.cursor = v >= 0 ? "pointer" : "grab";
    if (v === marks.hovered) return;
    marks.hovered = v;
    canvas.title = v >= 0 ? scene.title(v) : "";
    touch();
  }

  const lookAround = (event) => {
    if (!(event.buttons & 1) || !scene) return;
    const bounds = map.getBoundingClientRect();
    const scale = mapScale();
    const x = (event.clientX - bounds.left - (map.width - scene.width * scale) / 2) / scale;
    const y = (event.clientY - bounds.top - (map.height - scene.height * scale) / 2) / scale;
    jumpTo(centred({ x, y }, camera.scale, size));
  };
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    lookAround(event);
  });
  map.addEventListener("pointermove", lookAround);

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

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !scene) return;
    if (!told.key(event)) {
      if (!(event.key in KEYS)) return;
      KEYS[event.key]();
    }
    event.preventDefault();
    event.stopPropagation();
  });

  new ResizeObserver(() => {
    const { clientWidth, clientHeight } = canvas;
    if (!clientWidth) return;
    const ratio = Math.min(2, devicePixelRatio);
    const middle = { x: camera.x + size.width / camera.scale / 2, y: camera.y + size.height / camera.scale / 2 };
    const first = size.width === 0;
    Object.assign(size, { width: clientWidth, height: clientHeight });
    [canvas.width, canvas.height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (scene && first) camera = opening(scene, size, scene.rooted ? scene.nodeOf[0] : -1);
    else if (scene) camera = centred(middle, camera.scale, size);
    if (frame) cancelAnimationFrame(frame);
    drawFrame(performance.now());
  }).observe(canvas);

  return {
    node,
    canvas,
    /** Shows another scene, all of it, or with `anchor` ({from, to}: a node there and here) from where one looked. */
    setScene(wanted, anchor) {
      const held = anchor && scene && { x: scene.x[anchor.from] - camera.x, y: scene.y[anchor.from] - camera.y };
      scene = wanted;
      for (const shot of [picture, overview]) shot?.bitmap.close();
      picture = overview = asked = glide = null;
      edition += 1;
      marks = { selected: -1, hovered: -1, found: [], edges: [] };
      if (held) camera = { ...camera, x: scene.x[anchor.to] - held.x, y: scene.y[anchor.to] - held.y };
      else if (size.width) camera = opening(scene, size, scene.rooted ? scene.nodeOf[0] : -1);
      touch();
    },
    setPalette(wanted) {
      palette = wanted;
      edition += 1;
      touch();
    },
    /** The colours have changed: what is shown stays until the next picture. */
    repaint() {
      edition += 1;
      touch();
    },
    setPath(shown) {
      if (shown === showPath) return;
      showPath = shown;
      touch();
    },
    setMarks(selected, found) {
      marks = { ...marks, selected, found, edges: selected < 0 ? [] : scene.edgesOf(selected) };
      touch();
    },
    see(v) {
      const target = seeing(aim(), scene, v, size);
      if (target !== aim()) moveTo(target);
    },
    /** A picture has come. */
    show(kind, bitmap, view) {
      const shot = { bitmap, view };
      if (kind === "overview") {
        overview?.bitmap.close();
        overview = shot;
      } else {
        picture?.bitmap.close();
        picture = shot;
        asked = null;
        if (overview?.view.edition !== edition) told.look("overview", { edition });
      }
      touch();
    },
  };
}
