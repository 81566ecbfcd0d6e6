// Charts: scales, ticks and bins, which are plain functions, and a drawing that follows the width it is given.

import { attribute, el, fill, svg, text } from "./dom.js";
import { amount, took } from "./format.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A function that takes [from, to] to [a, b]. */
export function linear(from, to, a, b) {
  const factor = to === from ? 0 : (b - a) / (to - from);
  return (value) => a + (value - from) * factor;
}

/** The same, by orders of magnitude; from and to are above 0, and what is not counts as `from`. */
export function logarithmic(from, to, a, b) {
  const scale = linear(Math.log(from), Math.log(to), a, b);
  return (value) => scale(Math.log(Math.max(from, value)));
}

/** Round numbers from 0 as far as `most`, about `count` of them. */
export function amountTicks(most, count) {
  const rough = Math.max(1, most / count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((each) => each >= rough);
  return multiples(0, most, step);
}

const SECONDS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY),
];

const stepFor = (rough) => SECONDS.find((step) => step >= rough) ?? SECONDS.at(-1);

/** Lengths of time that are easily read, from 0 as far as `most`, about `count` of them. */
export const durationTicks = (most, count) => multiples(0, most, stepFor(most / count));

/** The same by orders of magnitude. */
export function magnitudeTicks(least, most) {
  const all = [0.001, 0.01, 0.1, 1, 10, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 28 * DAY];
  return all.filter((seconds) => seconds >= least && seconds <= most);
}

/**
 * Moments between two epochs that are round on the reader's clock, about `count` of them.
 * @returns {Array<{at: number, words: string}>}
 */
export function timeTicks(from, to, count) {
  const step = stepFor((to - from) / count);
  // Days begin at the reader's midnight, which is not that of the epoch, and not always 24 hours after the last.
  const moments = step < DAY ? multiples(from, to, step, midnight(from)) : days(from, to, step / DAY);
  return moments.map((at) => ({ at, words: momentWords(at, step) }));
}

function multiples(from, to, step, origin = 0) {
  const first = Math.ceil((from - origin) / step - 1e-9);
  const last = Math.floor((to - origin) / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => origin + (first + n) * step);
}

function midnight(epoch) {
  return new Date(epoch * 1000).setHours(0, 0, 0, 0) / 1000;
}

function days(from, to, step) {
  const found = [];
  const day = new Date(midnight(from) * 1000);
  for (; day.getTime() / 1000 <= to; day.setDate(day.getDate() + step)) found.push(day.getTime() / 1000);
  return found.filter((at) => at >= from);
}

const format = (options) => new Intl.DateTimeFormat(undefined, options);
const DATE = format({ month: "short", day: "numeric" });
const MINUTES = format({ hour: "2-digit", minute: "2-digit" });
const EXACT = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const FRACTION = format({ minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

function momentWords(at, step) {
  const moment = new Date(at * 1000);
  if (step >= DAY || midnight(at) === at) return DATE.format(moment);
  return (step >= MINUTE ? MINUTES : step >= 1 ? EXACT : FRACTION).format(moment);
}

/** The value below which a share (0 to 1) of some ordered values lies, between two of them if need be. */
export function quantile(ordered, share) {
  const place = share * (ordered.length - 1);
  const below = ordered[Math.floor(place)];
  return below + (ordered[Math.ceil(place)] - below) * (place - Math.floor(place));
}

/**
 * Sorts values into `count` classes, equally wide, or by orders of magnitude.
 * @returns {Array<{from: number, to: number, values: Array}>} all between the least and the greatest
 */
export function bins(items, valueOf, count, byMagnitude = false) {
  const values = items.map(valueOf);
  if (!values.length) return [];
  const least = Math.min(...values);
  const most = Math.max(...values);
  if (least === most) return [{ from: least, to: most, values: items }];
  const bottom = byMagnitude ? Math.max(least, most / 1e6) : least;
  const scale = (byMagnitude ? logarithmic : linear)(bottom, most, 0, count);
  const edge = byMagnitude ? (n) => bottom * (most / bottom) ** (n / count) : linear(0, count, bottom, most);
  const found = Array.from({ length: count }, (_, n) => ({ from: edge(n), to: edge(n + 1), values: [] }));
  for (const item of items) found[Math.min(count - 1, Math.max(0, Math.floor(scale(valueOf(item)))))].values.push(item);
  return found;
}

/** The item nearest to a point, within `reach`; null if there is none. Each has x and y. */
export function nearest(items, x, y, reach) {
  let [best, least] = [null, reach];
  for (const item of items) {
    const distance = Math.hypot(item.x - x, item.y - y);
    if (distance <= least) [best, least] = [item, distance];
  }
  return best;
}

// -- drawings

const MARGIN = { left: 54, right: 14, top: 14, bottom: 24 };

/**
 * A chart in a frame of its own.
 * @param {string} title
 * @param {number} height  in px
 * @param {function({width: number, height: number, left: number, right: number, top: number, bottom: number}, Object):
 *         Array<Node>} draw  is given where there is room, and what update() was given
 */
export function chart(title, height, draw) {
  const picture = svg("svg", { height, role: "img" });
  const words = el("figcaption", { class: "muted" });
  const stage = el("div", { class: "chart-stage" }, picture);
  const node = el("figure", { class: "chart" }, el("h2", {}, title), stage, words);
  let facts = null;

  function redraw() {
    const width = stage.clientWidth;
    if (!facts || !width) return;
    const { left, right, top, bottom } = MARGIN;
    attribute(picture, "width", width);
    attribute(picture, "viewBox", `0 0 ${width} ${height}`);
    const room = { width, height, left, right: width - right, top, bottom: height - bottom };
    fill(picture, hatching(), ...draw(room, facts));
  }

  new ResizeObserver(redraw).observe(stage);
  return {
    node,
    stage,
    picture,
    update(wanted, said) {
      facts = wanted;
      attribute(picture, "aria-label", `${title}: ${said}`);
      text(words, said);
      redraw();
    },
  };
}

// What failed is hatched, so that colour is not all that tells it from what succeeded.
function hatching() {
  const size = { id: "hatching", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const ground = svg("rect", { width: 5, height: 5, class: "hatching-ground" });
  return svg("pattern", size, ground, svg("rect", { width: 2, height: 5, class: "hatching-line" }));
}

/** Lines across at these values, with words beside them. */
export function valueAxis(room, scale, values, wordsOf) {
  return values.flatMap((value) => {
    const y = Math.round(scale(value)) + 0.5;
    const line = svg("line", { x1: room.left, x2: room.right, y1: y, y2: y, class: "grid" });
    return [line, svg("text", { x: room.left - 6, y: y + 4, "text-anchor": "end" }, wordsOf(value))];
  });
}

/** Words below at these places. @param {Array<{at: number, words: string}>} ticks */
export function bottomAxis(room, scale, ticks) {
  return ticks.flatMap(({ at, words }) => {
    const x = scale(at);
    const mark = svg("line", { x1: x, x2: x, y1: room.bottom, y2: room.bottom + 4, class: "grid" });
    const anchor = x > room.right - 24 ? "end" : "middle";
    return [mark, svg("text", { x, y: room.bottom + 17, "text-anchor": anchor }, words)];
  });
}

/** A dashed line across at a value, with what it is: above it, or below. */
export function markLine(room, scale, value, words, name, below = false) {
  const y = Math.round(scale(value)) + 0.5;
  const line = svg("line", { x1: room.left, x2: room.right, y1: y, y2: y, class: `mark ${name}` });
  return [
    line,
    svg("text", { x: room.right, y: below ? y + 12 : y - 4, "text-anchor": "end", class: "mark-words" }, words),
  ];
}

/**
 * What succeeded and what failed, one on the other, in columns.
 * @param {Array<{from: number, to: number, done: number, failed: number, words: string}>} columns
 * @param {function(number): number} across  the scale of `from` and `to`
 */
export function outcomeColumns(room, columns, across) {
  const most = Math.max(1, ...columns.map(({ done, failed }) => done + failed));
  const scale = linear(0, most, room.bottom, room.top);
  return [
    ...valueAxis(room, scale, amountTicks(most, 3), amount),
    ...columns.filter(({ done, failed }) => done + failed).flatMap((column) => outcomeColumn(column, scale, across)),
  ];
}

function outcomeColumn({ from, to, done, failed, words }, scale, across) {
  const x = across(from) + 0.5;
  const width = Math.max(1, across(to) - across(from) - 1);
  const part = (low, high, name) =>
    svg("rect", { x, width, y: scale(high), height: Math.max(0, scale(low) - scale(high)), class: name });
  const group = svg("g", {}, svg("title", {}, words));
  if (done) group.append(part(0, done, "done"));
  if (failed) group.append(part(done, done + failed, "failed"));
  return group;
}

/** A length of time as it stands at an axis. */
export const axisDuration = (seconds) => (seconds === 0 ? "0" : took(seconds));
