// What a timeline is made of: runs, in lanes. Plain functions.
//
// A run is { id, family, worker, status, start, end, number, slow, row }: `end` is null while it goes on; `number` is
// what the history knows it by, else null; epochs and durations in seconds.

import { quantile } from "../chart.js";

// One second is what stock's clients and databases may differ by.
const SAME_S = 1;
// So many runs must have ended well before any is called unusual.
const ENOUGH = 5;

/** The runs in a reply of `runs`. */
export function fromMemory({ lanes, families, statuses, runs }) {
  return runs.map(([worker, family, status, start, end, id]) => ({
    id,
    family: families[family],
    worker: lanes[worker],
    status: statuses[status],
    start,
    end,
    number: null,
  }));
}

/** The runs in rows of the history; those that are not over are the scheduler's to tell of. */
export function fromHistory(rows) {
  return rows
    .filter(({ started, finished }) => started !== null && finished !== null)
    .map(({ run_id: number, task_id: id, family, worker, status, started: start, finished: end }) => ({
      id,
      family,
      worker: worker ?? "",
      status,
      start,
      end,
      number,
    }));
}

/** Both in one list by start, each run once: as the scheduler tells it, with the number that the history has. */
export function merged(live, recorded) {
  const newest = new Map(live.map((run) => [run.id, run]));
  const others = [];
  for (const run of recorded) {
    const same = newest.get(run.id);
    if (same && Math.abs(same.start - run.start) < SAME_S) same.number = run.number;
    else others.push(run);
  }
  return [...live, ...others].sort((a, b) => a.start - b.start);
}

/**
 * Says of each run whether it took, or takes, longer than usual: than all but one in twenty, and than twice the median.
 * @param {Array} runs  with their ends
 * @param {Map} expected  family -> { expected, p95 } as the history knows it, for families it knows
 */
export function markSlow(runs, expected, now) {
  const usual = usualOf(runs);
  for (const run of runs) {
    const { expected: median, p95 } = expected.get(run.family) ?? usual.get(run.family) ?? {};
    const took = (run.end ?? now) - run.start;
    run.usual = median ?? null;
    run.slow = median !== undefined && median !== null && took > p95 && took > 2 * median;
  }
  return runs;
}

/** Those that take longer than usual: what goes on before what is over, the newest first. */
export const slowOf = (runs) =>
  runs.filter(({ slow }) => slow).sort((a, b) => (b.end === null) - (a.end === null) || b.start - a.start);

/** A run as it is found among runs that were read anew; null if it is not there. */
export const sameIn = (runs, { id, start }) =>
  runs.find((run) => run.id === id && Math.abs(run.start - start) < SAME_S) ?? null;

/** The median and the 95th percentile of families with enough runs that ended well. */
export function usualOf(runs) {
  const durations = new Map();
  for (const { family, status, start, end } of runs) {
    if (status !== "DONE" || end === null) continue;
    if (!durations.has(family)) durations.set(family, []);
    durations.get(family).push(end - start);
  }
  const known = [...durations].filter(([, all]) => all.length >= ENOUGH);
  return new Map(
    known.map(([family, all]) => {
      all.sort((a, b) => a - b);
      return [family, { expected: quantile(all, 0.5), p95: quantile(all, 0.95) }];
    }),
  );
}

/**
 * Lanes by name, each with its runs and, of these, the place among those that go on at the same time.
 * @param {Array} runs  by start
 * @param {string} by  worker or family
 * @returns {Array<{name: string, runs: Array, rows: number}>}
 */
export function lanesOf(runs, by) {
  const lanes = new Map();
  for (const run of runs) {
    if (!lanes.has(run[by])) lanes.set(run[by], { name: run[by], runs: [], rows: 0 });
    lanes.get(run[by]).runs.push(run);
  }
  for (const lane of lanes.values()) lane.rows = pack(lane.runs);
  return [...lanes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const laneOf = (lanes, run) => lanes.findIndex(({ runs }) => runs.includes(run));

/** The run that is before (-1) or after (1) another in its lane; undefined if there is none. */
export function runAlong(lanes, run, by) {
  const runs = lanes[laneOf(lanes, run)]?.runs ?? [];
  return runs[runs.indexOf(run) + by];
}

/** The run of the lane above (-1) or below (1) that began nearest to another; undefined if there is no such lane. */
export function runAcross(lanes, run, by) {
  const away = ({ start }) => Math.abs(start - run.start);
  return lanes[laneOf(lanes, run) + by]?.runs.reduce((best, each) => (away(each) < away(best) ? each : best));
}

/** Gives each run the first row that is free when it starts; returns how many rows that takes. */
export function pack(runs) {
  const ends = [];
  for (const run of runs) {
    const free = ends.findIndex((end) => end <= run.start);
    run.row = free < 0 ? ends.length : free;
    ends[run.row] = run.end ?? Infinity;
  }
  return ends.length;
}

/** When nothing ran in a lane, between its runs and since the last, for at least `least` seconds: [[from, to], ...]. */
export function gapsOf(runs, least, now) {
  const gaps = [];
  let busy = Infinity;
  for (const { start, end } of runs) {
    if (start - busy >= least) gaps.push([busy, start]);
    busy = Math.max(busy === Infinity ? -Infinity : busy, end ?? now);
  }
  if (now - busy >= least) gaps.push([busy, now]);
  return gaps;
}

/** The part of a time, from 0 to 1, in which at least one of the runs went on. */
export function busyShare(runs, from, to, now) {
  let [busy, reached] = [0, from];
  for (const { start, end } of runs) {
    const [begin, stop] = [Math.max(start, reached), Math.min(end ?? now, to)];
    if (stop > begin) [busy, reached] = [busy + stop - begin, stop];
  }
  return to > from ? busy / (to - from) : 0;
}

/**
 * Which part of time to read, so that one can look around in it a while: whole cells of about the span's size, one more
 * on either side.
 * @returns {{from: number, to: number}}
 */
export function around(from, to) {
  const cell = 2 ** Math.ceil(Math.log2(Math.max(1, to - from)));
  return { from: Math.floor(from / cell) * cell - cell / 2, to: Math.ceil(to / cell) * cell };
}
