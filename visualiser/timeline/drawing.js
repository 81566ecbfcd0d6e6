// Painting the timeline on a canvas: only what is in sight.
//
// Beside what geometry.js tells of a scene, it has here:
//
//   palette          see paletteOf()
//   marked, pointed  a run that is outlined, or null
//   dragged          { from, to }: between which x a pointer is dragged; or null
//   label            what a lane is called, by the lane
//   about            what is written on a bar, by its run

import { timeTicks } from "../chart.js";
import { clip, duration } from "../format.js";
import { running } from "../task.js";
import { AXIS, BAR, PADDING, barOf, lanesInSight, scaleOf, timeAt, topOf, xOf } from "./geometry.js";
import { busyShare, gapsOf } from "./rows.js";

const TICK_PX = 105;
const GAP_PX = 76; // a gap as wide as its words
const SIGN_PX = 16;
const WORDS_PX = 34;
const SHORT_LENGTH = 5;
const LATE_LENGTH = 18;
const NAME_LENGTH = 80;

const STATUS_COLOURS = {
  FAILED: "--failed",
  DISABLED: "--disabled",
  RUNNING: "--running",
  BATCH_RUNNING: "--batch-running",
  PENDING: "--pending",
  UNKNOWN: "--unknown",
  DONE: "--done",
};

/** What is used of the style sheets: colours, `statuses` and their `tints` by status, and the font. */
export function paletteOf(style) {
  const of = (name) => style.getPropertyValue(name).trim();
  const statuses = Object.fromEntries(Object.entries(STATUS_COLOURS).map(([status, name]) => [status, of(name)]));
  const tints = Object.fromEntries(Object.entries(statuses).map(([status, colour]) => [status, `${colour}47`]));
  return {
    statuses,
    tints,
    surface: of("--surface"),
    line: of("--line"),
    lineStrong: of("--line-strong"),
    ink: of("--ink"),
    muted: of("--muted"),
    accent: of("--accent"),
    slow: of("--upstream-failed"),
    font: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  };
}

/** Paints all of it. The context is in CSS pixels. */
export function paint(context, scene) {
  const { size, view, palette } = scene;
  const ticks = timeTicks(view.from, view.to, (size.width - size.labels) / TICK_PX);
  const lanes = lanesInSight(scene);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, size.width, size.height);
  context.font = `12px ${palette.font}`;
  context.textBaseline = "middle";
  clipped(context, size.labels, AXIS, size.width, size.height, () => {
    paintGrid(context, scene, ticks);
    for (const lane of lanes) paintLane(context, scene, lane);
    paintNow(context, scene);
    if (scene.dragged) paintDragged(context, scene);
  });
  for (const lane of lanes) paintLabel(context, scene, lane);
  paintAxis(context, scene, ticks);
}

function clipped(context, left, top, right, bottom, deed) {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  deed();
  context.restore();
}

function line(context, x1, y1, x2, y2, colour, width = 1, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
  context.setLineDash([]);
}

function ellipsis(context, words, width) {
  let shown = clip(words, NAME_LENGTH);
  if (context.measureText(shown).width <= width) return shown;
  while (shown.length > 1 && context.measureText(`${shown}…`).width > width) shown = shown.slice(0, -1);
  return `${shown}…`;
}

// ---- around the lanes ----

function paintGrid(context, scene, ticks) {
  for (const { at } of ticks) {
    const x = Math.round(xOf(scene, at)) + 0.5;
    line(context, x, AXIS, x, scene.size.height, scene.palette.line);
  }
}

function paintAxis(context, scene, ticks) {
  const { size, palette } = scene;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, size.width, AXIS);
  line(context, 0, AXIS - 0.5, size.width, AXIS - 0.5, palette.lineStrong);
  context.fillStyle = palette.muted;
  context.textAlign = "center";
  for (const { at, words } of ticks) {
    const x = xOf(scene, at);
    if (x > size.labels + 20 && x < size.width - 20) context.fillText(words, x, AXIS / 2);
  }
  context.textAlign = "left";
}

function paintNow(context, scene) {
  const { size, palette } = scene;
  const x = xOf(scene, scene.now);
  if (x <= size.width) line(context, x, AXIS, x, size.height, palette.accent, 1.5, [4, 3]);
}

function paintDragged(context, scene) {
  const { size, palette, dragged } = scene;
  const [left, right] = [Math.min(dragged.from, dragged.to), Math.max(dragged.from, dragged.to)];
  context.globalAlpha = 0.18;
  context.fillStyle = palette.accent;
  context.fillRect(left, AXIS, right - left, size.height);
  context.globalAlpha = 1;
  for (const x of [left, right]) line(context, x, AXIS, x, size.height, palette.accent);
  context.fillStyle = palette.ink;
  context.fillText(duration(timeAt(scene, right) - timeAt(scene, left)), left + 6, AXIS + 10);
}

// ---- lanes ----

function paintLabel(context, scene, lane) {
  const { size, palette } = scene;
  const [top, bottom] = [topOf(scene, lane), topOf(scene, lane) + lane.height];
  clipped(context, 0, Math.max(AXIS, top), size.labels - 8, bottom, () => {
    const words = ellipsis(context, scene.label(lane), size.labels - 20);
    context.fillStyle = palette.ink;
    context.font = `550 12px ${palette.font}`;
    context.fillText(words, 12, top + 14);
    context.font = `11px ${palette.font}`;
    context.fillStyle = palette.muted;
    context.fillText(busyWords(scene, lane), 12, top + 29);
  });
  line(context, 0, Math.round(bottom) - 0.5, size.width, Math.round(bottom) - 0.5, palette.line);
  line(context, size.labels - 0.5, AXIS, size.labels - 0.5, size.height, palette.line);
}

function busyWords({ view, now }, { runs }) {
  return `${Math.round(100 * busyShare(runs, view.from, Math.min(view.to, now), now))} % busy`;
}

function paintLane(context, scene, lane) {
  paintGaps(context, scene, lane);
  const painted = []; // of each row, how far it is: what lies within the same pixel is left out
  for (const run of lane.runs) {
    if (run.start > scene.view.to) break;
    if ((run.end ?? scene.now) < scene.view.from) continue;
    const bar = barOf(scene, lane, run);
    const isPlain = run.status === "DONE" && !run.slow;
    if (isPlain && bar.right <= (painted[run.row] ?? -1) + 0.5) continue;
    painted[run.row] = bar.right;
    paintBar(context, scene, run, bar);
  }
}

function paintGaps(context, scene, lane) {
  const { size, view, now } = scene;
  const middle = topOf(scene, lane) + PADDING + BAR / 2;
  for (const [from, to] of gapsOf(lane.runs, GAP_PX / scaleOf(scene), Math.min(view.to, now))) {
    const [left, right] = [Math.max(size.labels, xOf(scene, from)), Math.min(size.width, xOf(scene, to))];
    if (right - left >= GAP_PX) paintGap(context, scene.palette, `idle ${duration(to - from)}`, left, right, middle);
  }
}

function paintGap(context, palette, words, left, right, y) {
  const width = context.measureText(words).width;
  const centre = (left + right) / 2;
  line(context, left + 4, y, centre - width / 2 - 6, y, palette.lineStrong, 1, [2, 3]);
  line(context, centre + width / 2 + 6, y, right - 4, y, palette.lineStrong, 1, [2, 3]);
  context.fillStyle = palette.muted;
  context.fillText(words, centre - width / 2, y);
}

// ---- bars ----

function paintBar(context, scene, run, bar) {
  const { palette } = scene;
  const { left, right, top } = bar;
  const width = right - left;
  const colour = palette.statuses[run.status] ?? palette.statuses.UNKNOWN;
  context.fillStyle = palette.tints[run.status] ?? palette.tints.UNKNOWN;
  context.fillRect(left, top, width, BAR);
  if (run.slow) paintStripes(context, scene, bar);
  context.fillStyle = colour;
  context.fillRect(left, top, Math.min(3, width), BAR);
  if (run.status !== "DONE") paintSign(context, run, colour, bar);
  if (run.slow) {
    context.strokeStyle = palette.slow;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, top + 0.75, Math.max(1, width - 1.5), BAR - 1.5);
  }
  if (width > WORDS_PX) paintWords(context, scene, run, bar);
  if (run === scene.marked || run === scene.pointed) {
    context.strokeStyle = run === scene.marked ? palette.accent : palette.ink;
    context.lineWidth = 2;
    context.strokeRect(left - 1, top - 1, width + 2, BAR + 2);
  }
}

// What takes longer than usual has stripes.
function paintStripes(context, { size, palette }, { left, right, top }) {
  const begin = Math.max(left, size.labels);
  clipped(context, begin, top, Math.max(begin, right), top + BAR, () => {
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
function paintSign(context, run, colour, { left, right, top }) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  if (running(run)) paintOpenEnd(context, right, top);
  else if (right - left <= SIGN_PX) paintNotch(context, left, right, top);
  else if (run.status === "FAILED") paintCross(context, right - 8, top + BAR / 2, 3.5);
  else paintBox(context, right - 8, top + BAR / 2, 3.5);
}

function paintOpenEnd(context, x, top) {
  context.moveTo(x, top);
  context.lineTo(x + 6, top + BAR / 2);
  context.lineTo(x, top + BAR);
  context.fill();
}

function paintNotch(context, left, right, top) {
  context.fillRect(left, top, right - left, BAR);
  context.moveTo(left - 2, top - 4);
  context.lineTo(left + 5, top - 4);
  context.lineTo(left + 1.5, top + 2);
  context.fill();
}

function paintCross(context, x, y, r) {
  context.moveTo(x - r, y - r);
  context.lineTo(x + r, y + r);
  context.moveTo(x + r, y - r);
  context.lineTo(x - r, y + r);
  context.stroke();
}

function paintBox(context, x, y, r) {
  context.rect(x - r, y - r, 2 * r, 2 * r);
  context.stroke();
}

function paintWords(context, { size, palette, about }, run, { left, right, top }) {
  const begin = Math.max(left, size.labels) + 6;
  const end = right - (run.status === "DONE" ? 3 : 14);
  if (end - begin < WORDS_PX - 10) return;
  const words = run.slow ? `longer than usual · ${about(run)}` : about(run);
  const shown = ellipsis(context, words, end - begin);
  if (shown !== words && shown.length < (run.slow ? LATE_LENGTH : SHORT_LENGTH)) return; // too little to tell
  context.lineWidth = 3;
  context.strokeStyle = palette.surface;
  context.globalAlpha = run.slow ? 0.9 : 0;
  context.strokeText(shown, begin, top + BAR / 2 + 0.5);
  context.globalAlpha = 1;
  context.fillStyle = palette.ink;
  context.fillText(shown, begin, top + BAR / 2 + 0.5);
}
