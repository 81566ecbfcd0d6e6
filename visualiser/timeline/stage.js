// The drawing of the timeline, and how one looks around in it. Bars are drawn on a canvas, those in sight only; the
// canvas stays where it is while the lanes scroll behind it.

import { timeTicks } from "../chart.js";
import { el } from "../dom.js";
import { clip, duration } from "../format.js";
import { busyShare, gapsOf } from "./rows.js";
import { moved, zoomed } from "./window.js";

const AXIS = 26;
const ROW = 18;
const BAR = 14;
const PADDING = 8;
const LEAST_LANE = 40;
const DRAG_PX = 5;
const GAP_PX = 76; // a gap as wide as its words
const STEP = 1.5;
const PAN = 0.2;
const REACH_PX = 5;
const WORDS_PX = 34;
const SHORT_LENGTH = 5;
const LATE_LENGTH = 18;
const NAME_LENGTH = 80;

/**
 * @param {{look: function(Object), select: function(Object, Object), point: function(?Object), open: function(Object),
 *   key: function(KeyboardEvent): boolean, now: function(): number, label: function(Object): string,
 *   about: function(Object): string}} told
 *   `look` says which window is to be looked at; `select` that the time between two moments was dragged over
 */
export function createStage(told) {
  const canvas = el("canvas", { class: "timeline-canvas", tabindex: "0", role: "application" });
  const room = el("div", { "aria-hidden": "true" });
  const node = el("div", { class: "timeline-stage" }, canvas, room);
  const context = canvas.getContext("2d");
  const size = { width: 0, height: 0, labels: 0 };
  let lanes = [];
  let view = null;
  let palette = null;
  let marked = null;
  let pointed = null;
  let drag = null;
  let frame = 0;

  // ---- frames ----

  function touch() {
    if (!frame) frame = requestAnimationFrame(draw);
  }

  const scaleOf = () => (size.width - size.labels) / (view.to - view.from);
  const xOf = (time) => size.labels + (time - view.from) * scaleOf();
  const timeAt = (x) => view.from + (x - size.labels) / scaleOf();

  function draw() {
    frame = 0;
    if (!view || !palette || !size.width) return;
    const ratio = canvas.width / size.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = palette.surface;
    context.fillRect(0, 0, size.width, size.height);
    context.font = `12px ${palette.font}`;
    context.textBaseline = "middle";
    clipped(size.labels, AXIS, size.width, size.height, () => {
      drawGrid();
      for (const lane of lanesInSight()) drawLane(lane);
      drawNow();
      drawDrag();
    });
    for (const lane of lanesInSight()) drawLabel(lane);
    drawAxis();
  }

  function clipped(left, top, right, bottom, deed) {
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    deed();
    context.restore();
  }

  const lanesInSight = () =>
    lanes.filter(({ top, height }) => top + height > node.scrollTop && top < node.scrollTop + size.height - AXIS);
  const topOf = (lane) => lane.top - node.scrollTop + AXIS;

  function ticks() {
    return timeTicks(view.from, view.to, (size.width - size.labels) / 105);
  }

  function line(x1, y1, x2, y2, colour, width = 1, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.setLineDash([]);
  }

  function drawGrid() {
    for (const { at } of ticks()) {
      const x = Math.round(xOf(at)) + 0.5;
      line(x, AXIS, x, size.height, palette.line);
    }
  }

  function drawAxis() {
    context.fillStyle = palette.surface;
    context.fillRect(0, 0, size.width, AXIS);
    line(0, AXIS - 0.5, size.width, AXIS - 0.5, palette.lineStrong);
    context.fillStyle = palette.muted;
    context.textAlign = "center";
    for (const { at, words } of ticks()) {
      const x = xOf(at);
      if (x > size.labels + 20 && x < size.width - 20) context.fillText(words, x, AXIS / 2);
    }
    context.textAlign = "left";
  }

  function drawNow() {
    const x = xOf(told.now());
    if (x <= size.width) line(x, AXIS, x, size.height, palette.accent, 1.5, [4, 3]);
  }

  function drawDrag() {
    if (!drag?.selects) return;
    const [left, right] = [Math.min(drag.from, drag.x), Math.max(drag.from, drag.x)];
    context.globalAlpha = 0.18;
    context.fillStyle = palette.accent;
    context.fillRect(left, AXIS, right - left, size.height);
    context.globalAlpha = 1;
    for (const x of [left, right]) line(x, AXIS, x, size.height, palette.accent);
    const words = duration(timeAt(right) - timeAt(left));
    context.fillStyle = palette.ink;
    context.fillText(words, left + 6, AXIS + 10);
  }

  function drawLabel(lane) {
    const top = topOf(lane);
    clipped(0, Math.max(AXIS, top), size.labels - 8, top + lane.height, () => {
      const words = ellipsis(told.label(lane), size.labels - 20);
      context.fillStyle = palette.ink;
      context.font = `550 12px ${palette.font}`;
      context.fillText(words, 12, top + 14);
      context.font = `11px ${palette.font}`;
      context.fillStyle = palette.muted;
      const until = Math.min(view.to, told.now());
      context.fillText(`${Math.round(100 * busyShare(lane.runs, view.from, until, told.now()))} % busy`, 12, top + 29);
    });
    context.font = `12px ${palette.font}`;
    line(0, Math.round(top + lane.height) - 0.5, size.width, Math.round(top + lane.height) - 0.5, palette.line);
    line(size.labels - 0.5, AXIS, size.labels - 0.5, size.height, palette.line);
  }

  function ellipsis(words, width) {
    let shown = clip(words, NAME_LENGTH);
    if (context.measureText(shown).width <= width) return shown;
    while (shown.length > 1 && context.measureText(`${shown}…`).width > width) shown = shown.slice(0, -1);
    return `${shown}…`;
  }

  function drawLane(lane) {
    const top = topOf(lane);
    drawGaps(lane, top);
    const drawn = []; // of each row, how far it is drawn: what lies within the same pixel is left out
    for (const run of lane.runs) {
      if (run.start > view.to) break;
      const end = run.end ?? told.now();
      if (end < view.from) continue;
      const left = Math.max(size.labels - 4, xOf(run.start));
      const right = Math.min(size.width + 4, Math.max(xOf(end), left + 1.5));
      const plain = run.status === "DONE" && !run.slow;
      if (plain && right <= (drawn[run.row] ?? -1) + 0.5) continue;
      drawn[run.row] = right;
      drawBar(run, left, right, top + PADDING + run.row * ROW);
    }
  }

  function drawGaps(lane, top) {
    for (const [from, to] of gapsOf(lane.runs, GAP_PX / scaleOf(), Math.min(view.to, told.now()))) {
      const [left, right] = [Math.max(size.labels, xOf(from)), Math.min(size.width, xOf(to))];
      if (right - left < GAP_PX) continue;
      const middle = top + PADDING + BAR / 2;
      const words = `idle ${duration(to - from)}`;
      const width = context.measureText(words).width;
      const centre = (left + right) / 2;
      line(left + 4, middle, centre - width / 2 - 6, middle, palette.lineStrong, 1, [2, 3]);
      line(centre + width / 2 + 6, middle, right - 4, middle, palette.lineStrong, 1, [2, 3]);
      context.fillStyle = palette.muted;
      context.fillText(words, centre - width / 2, middle);
    }
  }

  function drawBar(run, left, right, top) {
    const colour = palette.statuses[run.status] ?? palette.statuses.UNKNOWN;
    const width = right - left;
    context.fillStyle = palette.tints[run.status] ?? palette.tints.UNKNOWN;
    context.fillRect(left, top, width, BAR);
    if (run.slow) hatch(left, right, top);
    context.fillStyle = colour;
    context.fillRect(left, top, Math.min(3, width), BAR);
    if (run.status !== "DONE") drawSign(run, colour, left, right, top);
    if (run.slow) {
      context.strokeStyle = palette.slow;
      context.lineWidth = 1.5;
      context.strokeRect(left + 0.75, top + 0.75, Math.max(1, width - 1.5), BAR - 1.5);
    }
    if (width > WORDS_PX) drawWords(run, left, right, top);
    if (run === marked || run === pointed) {
      context.strokeStyle = run === marked ? palette.accent : palette.ink;
      context.lineWidth = 2;
      context.strokeRect(left - 1, top - 1, width + 2, BAR + 2);
    }
  }

  // What takes longer than usual has stripes.
  function hatch(left, right, top) {
    const begin = Math.max(left, size.labels);
    clipped(begin, top, Math.max(begin, right), top + BAR, () => {
      context.strokeStyle = palette.slow;
      context.globalAlpha = 0.55;
      context.lineWidth = 2;
      context.beginPath();
      const first = begin - ((begin - left) % 8) - BAR;
      for (let x = first; x < right; x += 8) {
        context.moveTo(x, top + BAR);
        context.lineTo(x + BAR, top);
      }
      context.stroke();
      context.globalAlpha = 1;
    });
  }

  // What failed has a cross at its end, or a notch above where there is no room; what goes on an open end.
  function drawSign({ status }, colour, left, right, top) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    if (status === "RUNNING" || status === "BATCH_RUNNING") {
      context.moveTo(right, top);
      context.lineTo(right + 6, top + BAR / 2);
      context.lineTo(right, top + BAR);
      context.fill();
    } else if (right - left > 16) {
      const [x, y, r] = [right - 8, top + BAR / 2, 3.5];
      if (status === "FAILED") {
        context.moveTo(x - r, y - r);
        context.lineTo(x + r, y + r);
        context.moveTo(x + r, y - r);
        context.lineTo(x - r, y + r);
      } else context.rect(x - r, y - r, 2 * r, 2 * r);
      context.stroke();
    } else {
      context.fillRect(left, top, right - left, BAR);
      context.moveTo(left - 2, top - 4);
      context.lineTo(left + 5, top - 4);
      context.lineTo(left + 1.5, top + 2);
      context.fill();
    }
  }

  function drawWords(run, left, right, top) {
    const begin = Math.max(left, size.labels) + 6;
    const end = right - (run.status === "DONE" ? 3 : 14);
    if (end - begin < WORDS_PX - 10) return;
    const words = run.slow ? `longer than usual · ${told.about(run)}` : told.about(run);
    const shown = ellipsis(words, end - begin);
    if (shown !== words && shown.length < (run.slow ? LATE_LENGTH : SHORT_LENGTH)) return; // too little to tell
    context.lineWidth = 3;
    context.strokeStyle = palette.surface;
    context.globalAlpha = run.slow ? 0.9 : 0;
    context.strokeText(shown, begin, top + BAR / 2 + 0.5);
    context.globalAlpha = 1;
    context.fillStyle = palette.ink;
    context.fillText(shown, begin, top + BAR / 2 + 0.5);
  }

  // ---- looking around ----

  const place = (event) => {
    const bounds = canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  };

  function runAt(x, y) {
    if (x < size.labels || y < AXIS) return null;
    const lane = lanes.find((each) => topOf(each) <= y && topOf(each) + each.height > y);
    if (!lane) return null;
    const row = Math.floor((y - topOf(lane) - PADDING) / ROW);
    let [best, least] = [null, REACH_PX];
    for (const run of lane.runs) {
      if (run.row !== row) continue;
      const away = Math.max(xOf(run.start) - x, x - Math.max(xOf(run.end ?? told.now()), xOf(run.start)), 0);
      if (away <= least) [best, least] = [run, away];
    }
    return best;
  }

  const look = (wanted) => told.look(wanted);
  const zoomAt = (factor, x) => look(zoomed(view, factor, timeAt(x), told.now()));
  const middle = () => (size.labels + size.width) / 2;
  const zoom = (factor) => view && look(zoomed(view, factor, view.live ? told.now() : timeAt(middle()), told.now()));
  const pan = (share) => view && look(moved(view, share * (view.to - view.from), told.now()));

  const fingers = new Map();

  canvas.addEventListener("pointerdown", (event) => {
    if (!view || event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = place(event);
    fingers.set(event.pointerId, { x, y });
    const pans = event.pointerType === "touch" || event.shiftKey || event.button === 1 || y < AXIS;
    drag = { from: Math.max(size.labels, x), x, y, distance: fingers.size > 1 ? Infinity : 0, pans, selects: false };
  });

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) return point(runAt(x, y));
    fingers.set(event.pointerId, { x, y });
    drag.distance += Math.abs(x - before.x) + Math.abs(y - before.y);
    if (fingers.size === 2) return pinch(before, event.pointerId);
    if (drag.distance <= DRAG_PX) return;
    if (drag.pans) look(moved(view, (before.x - x) / scaleOf(), told.now()));
    else Object.assign(drag, { selects: true, x: Math.max(size.labels, Math.min(size.width, x)) });
    touch();
  });

  function pinch(before, moving) {
    const [id, other] = [...fingers].find(([each]) => each !== moving);
    const here = fingers.get(moving);
    const apart = Math.max(20, Math.abs(here.x - other.x));
    zoomAt(apart / Math.max(20, Math.abs(before.x - other.x)), (here.x + other.x) / 2);
    fingers.set(id, other);
  }

  function lift(event) {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    const done = drag;
    drag = null;
    touch();
    if (event.type !== "pointerup") return;
    if (done.selects && Math.abs(done.x - done.from) > DRAG_PX) {
      const times = [timeAt(done.from), timeAt(done.x)].sort((a, b) => a - b);
      told.select({ from: times[0], to: times[1] });
    } else if (done.distance <= DRAG_PX) {
      const run = runAt(...place(event));
      if (run) told.open(run);
    }
  }
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => point(null));

  function point(run) {
    if (run === pointed) return;
    pointed = run;
    canvas.style.cursor = run ? "pointer" : "";
    told.point(run);
    touch();
  }

  // Over the names of the lanes the wheel scrolls, as everywhere.
  canvas.addEventListener(
    "wheel",
    (event) => {
      const [x] = place(event);
      if (!view || x < size.labels) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        look(moved(view, ((event.deltaX || event.deltaY) * lines) / scaleOf(), told.now()));
      } else {
        const pixels = Math.max(-120, Math.min(120, event.deltaY * lines));
        zoomAt(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), x);
      }
    },
    { passive: false },
  );

  const KEYS = {
    __proto__: null,
    "+": () => zoom(STEP),
    "=": () => zoom(STEP),
    "-": () => zoom(1 / STEP),
    PageUp: () => pan(-PAN * 4),
    PageDown: () => pan(PAN * 4),
  };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !view) return;
    const deed = event.shiftKey && { ArrowLeft: () => pan(-PAN), ArrowRight: () => pan(PAN) }[event.key];
    if (deed) deed();
    else if (!told.key(event)) {
      if (!(event.key in KEYS)) return;
      KEYS[event.key]();
    }
    event.preventDefault();
    event.stopPropagation();
  });

  function mark(run) {
    if (run === marked) return;
    marked = run;
    touch();
  }

  node.addEventListener("scroll", touch, { passive: true });

  new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    const ratio = Math.min(2, devicePixelRatio);
    Object.assign(size, { width, height, labels: Math.min(180, Math.round(width * 0.27)) });
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (frame) cancelAnimationFrame(frame);
    draw();
  }).observe(canvas);

  return {
    node,
    canvas,
    zoom,
    pan,
    step: STEP,
    share: PAN,
    /** @param {Array} wanted  see lanesOf() */
    setLanes(wanted) {
      let top = 0;
      lanes = wanted.map((lane) => {
        const height = Math.max(LEAST_LANE, lane.rows * ROW + 2 * PADDING - (ROW - BAR));
        top += height;
        return { ...lane, top: top - height, height };
      });
      room.style.height = `${top + AXIS}px`;
      touch();
    },
    setView(wanted) {
      view = wanted;
      touch();
    },
    setPalette(wanted) {
      palette = wanted;
      touch();
    },
    mark,
    /** Marks a run, and brings its lane into sight. */
    see(run) {
      mark(run);
      const lane = lanes.find(({ runs }) => runs.includes(run));
      if (!lane) return;
      const y = lane.top + PADDING + run.row * ROW;
      if (y < node.scrollTop || y + ROW > node.scrollTop + size.height - AXIS) node.scrollTop = y - size.height / 2;
    },
  };
}
