// The second half of a layered layout: in which order the vertices of each rank stand, so that few edges cross.
//
// An edge over several ranks gets a dummy vertex in each rank between, so that all segments lead from one rank to the
// next. Sweeps back and forth sort each rank by the mean place of the neighbours in the rank before it (barycentres);
// the best order met is kept. After that each vertex is moved to where its segments on both sides cross least, which is
// called sifting. How often that is done depends on the size of the graph alone, never on a clock: the same graph, the
// same picture.

import { adjacency } from "./ranks.js";

// Steps of work, about 100 million a second: a bound for one layout, however large the graph.
const BUDGET = 45e6;
const PATIENCE = 5;
const MOST_SWEEPS = 60;

// How far a vertex is moved at once by sifting, which costs that many comparisons.
const WINDOW = 100;
const PASSES = 6;

/**
 * @typedef {Object} Layers  a graph whose edges all lead from one rank to the next
 * @property {number} count  vertices, dummies included; those of edge e are firstDummy[e] .. firstDummy[e + 1] - 1
 * @property {number} real  vertices that are none
 * @property {Int32Array} rank  of each vertex
 * @property {Int32Array} first  place in `order` where each rank begins; one entry more than there are ranks
 * @property {Int32Array} order  the vertices, rank by rank
 * @property {Int32Array} place  of each vertex within its rank
 * @property {Int32Array} spare  room to sort in
 * @property {Object} before  segments to the rank before, as of adjacency()
 * @property {Object} after  segments to the rank after
 * @property {Int32Array} firstDummy
 */

/** Puts dummies into the edges; `order` is not meaningful yet. @returns {Layers} */
export function layersOf(count, rank, from, to) {
  const firstDummy = new Int32Array(from.length + 1);
  for (let e = 0; e < from.length; e += 1) firstDummy[e + 1] = firstDummy[e] + rank[to[e]] - rank[from[e]] - 1;
  for (let e = 0; e <= from.length; e += 1) firstDummy[e] += count;
  const total = firstDummy[from.length];
  const ranks = new Int32Array(total);
  ranks.set(rank);
  const lows = new Int32Array(total - count + from.length);
  const highs = new Int32Array(lows.length);
  let segment = 0;
  for (let e = 0; e < from.length; e += 1) {
    let last = from[e];
    for (let dummy = firstDummy[e]; dummy < firstDummy[e + 1]; dummy += 1) {
      ranks[dummy] = ranks[last] + 1;
      lows[segment] = last;
      highs[segment++] = dummy;
      last = dummy;
    }
    lows[segment] = last;
    highs[segment++] = to[e];
  }
  const first = firstOfRanks(ranks);
  return {
    count: total,
    real: count,
    rank: ranks,
    first,
    order: new Int32Array(total),
    place: new Int32Array(total),
    spare: new Int32Array(total),
    before: adjacency(total, highs, lows),
    after: adjacency(total, lows, highs),
    firstDummy,
  };
}

function firstOfRanks(rank) {
  let most = -1;
  for (const r of rank) most = Math.max(most, r);
  const first = new Int32Array(most + 2);
  for (const r of rank) first[r + 1] += 1;
  for (let r = 0; r <= most; r += 1) first[r + 1] += first[r];
  return first;
}

/** Finds an order with few crossings and leaves it in `layers`. Returns the number of crossings. */
export function orderLayers(layers) {
  const size = layers.count + layers.after.other.length;
  const starts = [layers.after, layers.before].map((side) => depthFirst(layers, side));
  let best = { crossings: Infinity, order: null };
  const sweeps = Math.max(4, Math.min(MOST_SWEEPS, Math.floor(BUDGET / (12 * size))));
  for (const start of starts) {
    adopt(layers, start);
    best = sweepBackAndForth(layers, best, sweeps);
    if (best.crossings === 0) break;
  }
  adopt(layers, best.order);
  return best.crossings - (best.crossings && sift(layers));
}

function adopt(layers, order) {
  const { first } = layers;
  layers.order.set(order);
  for (let r = 0; r + 1 < first.length; r += 1) {
    for (let i = first[r]; i < first[r + 1]; i += 1) layers.place[order[i]] = i - first[r];
  }
}

// The vertices as a depth-first walk along one side meets them: what hangs together begins side by side.
function depthFirst({ count, rank, first }, { start, other }) {
  const order = new Int32Array(count);
  const filled = first.slice();
  const seen = new Uint8Array(count);
  const next = start.slice();
  const path = [];
  const meet = (v) => {
    seen[v] = 1;
    order[filled[rank[v]]++] = v;
    path.push(v);
  };
  for (let root = 0; root < count; root += 1) {
    if (!seen[root]) meet(root);
    while (path.length) {
      const v = path.at(-1);
      if (next[v] === start[v + 1]) path.pop();
      else if (!seen[other[next[v]++]]) meet(other[next[v] - 1]);
    }
  }
  return order;
}

function sweepBackAndForth(layers, best, sweeps) {
  const scratch = { keys: new Float64Array(layers.count), moved: new Int32Array(layers.count) };
  let vain = 0;
  for (let i = 0; i < sweeps && vain < PATIENCE && best.crossings > 0; i += 1) {
    sweep(layers, scratch, i % 2 === 0, i % 4 > 1);
    const crossings = countCrossings(layers);
    vain += 1;
    if (crossings < best.crossings) {
      vain = 0;
      best = { crossings, order: layers.order.slice() };
    }
  }
  return best;
}

// One pass over all ranks. Vertices without neighbours on that side stay where they are; `backwards` turns equals
// round.
function sweep(layers, scratch, upwards, backwards) {
  const { first } = layers;
  const ranks = first.length - 1;
  for (let i = 1; i < ranks; i += 1) {
    const r = upwards ? i : ranks - 1 - i;
    sortRank(layers, scratch, first[r], first[r + 1], upwards ? layers.before : layers.after, backwards);
  }
}

function sortRank({ order, place, spare }, { keys, moved }, begin, end, { start, other }, backwards) {
  let n = 0;
  for (let i = begin; i < end; i += 1) {
    const v = order[i];
    const from = start[v];
    const to = start[v + 1];
    if (from === to) continue;
    let sum = 0;
    for (let k = from; k < to; k += 1) sum += place[other[k]];
    keys[v] = sum / (to - from);
    moved[n++] = v;
  }
  if (backwards) moved.subarray(0, n).reverse();
  mergeSort(moved, spare, n, keys);
  for (let i = begin, k = 0; i < end; i += 1) {
    const v = order[i];
    if (start[v] !== start[v + 1]) order[i] = moved[k++];
  }
  for (let i = begin; i < end; i += 1) place[order[i]] = i - begin;
}

const RUN = 12;

/** Sorts items[0 .. n - 1] by keys[item], equals staying in order; `spare` is as long. */
export function mergeSort(items, spare, n, keys) {
  for (let begin = 0; begin < n; begin += RUN) insertionSort(items, begin, Math.min(n, begin + RUN), keys);
  let [source, target] = [items, spare];
  for (let width = RUN; width < n; width *= 2) {
    for (let begin = 0; begin < n; begin += 2 * width) merge(source, target, begin, width, n, keys);
    [source, target] = [target, source];
  }
  if (source !== items) items.set(source.subarray(0, n));
}

function insertionSort(items, begin, end, keys) {
  for (let i = begin + 1; i < end; i += 1) {
    const item = items[i];
    let k = i;
    for (; k > begin && keys[items[k - 1]] > keys[item]; k -= 1) items[k] = items[k - 1];
    items[k] = item;
  }
}

function merge(source, target, begin, width, n, keys) {
  const middle = Math.min(n, begin + width);
  const end = Math.min(n, begin + 2 * width);
  let a = begin;
  let b = middle;
  for (let i = begin; i < end; i += 1) {
    const left = a < middle && (b >= end || keys[source[a]] <= keys[source[b]]);
    target[i] = source[left ? a++ : b++];
  }
}

/** How many pairs of segments cross. */
export function countCrossings(layers) {
  const { first } = layers;
  const widest = first.reduce((most, begin, r) => (r ? Math.max(most, begin - first[r - 1]) : 0), 0);
  const tree = new Int32Array(widest + 1);
  let crossings = 0;
  for (let r = 0; r + 2 < first.length; r += 1) crossings += crossingsAfter(layers, r, tree);
  return crossings;
}

// For each segment, in the order of its ends in rank r: how many of those before it end further on in the rank after.
// Segments of one vertex are entered after all of them are counted, because they do not cross each other.
function crossingsAfter({ first, order, place, after: { start, other } }, r, tree) {
  const width = first[r + 2] - first[r + 1];
  tree.fill(0, 0, width + 1);
  let crossings = 0;
  let entered = 0;
  for (let i = first[r]; i < first[r + 1]; i += 1) {
    const v = order[i];
    for (let k = start[v]; k < start[v + 1]; k += 1) {
      let notBeyond = 0;
      for (let j = place[other[k]] + 1; j > 0; j -= j & -j) notBeyond += tree[j];
      crossings += entered - notBeyond;
    }
    for (let k = start[v]; k < start[v + 1]; k += 1) {
      for (let j = place[other[k]] + 1; j <= width; j += j & -j) tree[j] += 1;
    }
    entered += start[v + 1] - start[v];
  }
  return crossings;
}

// Moves each vertex to where, between the others of its rank, its segments cross least; passes over all ranks, there
// and back, until they save nothing or the budget is used up. Returns how many crossings are saved.
function sift(layers) {
  const { first } = layers;
  const ranks = first.length - 1;
  const room = siftingRoom(layers);
  let saved = 0;
  for (let pass = 0, before = -1; saved > before && room.budget > 0 && pass < PASSES; pass += 1) {
    before = saved;
    for (let i = 0; i < ranks && room.budget > 0; i += 1) {
      const r = pass % 2 ? ranks - 1 - i : i;
      if (first[r + 1] - first[r] > 1) saved += siftRank(layers, room, r);
    }
  }
  return saved;
}

// Room for one rank. Its vertices have numbers here, in the order in which they stand to begin with.
const siftingRoom = ({ count, before, after }) => ({
  vertex: new Int32Array(count),
  /** of each, where in `ends` its segments begin */
  start: new Int32Array(count + 1),
  /** where segments end: places in the rank before, and behind the last of these the places in the rank after */
  ends: new Int32Array(before.other.length + after.other.length),
  /** the vertices as they stand by now, and where each of them is */
  row: new Int32Array(count),
  at: new Int32Array(count),
  /** for each such end, how many segments of the vertex that is moved end there */
  own: new Int32Array(count),
  /** and how many crossings more another segment that ends there brings when that vertex is moved past it */
  toll: new Int32Array(count),
  budget: BUDGET,
});

function siftRank({ first, order, place, before, after }, room, r) {
  const { vertex, start, ends, row, at } = room;
  const begin = first[r];
  const n = first[r + 1] - begin;
  const bound = r ? begin - first[r - 1] : 0;
  const width = bound + (r + 2 < first.length ? first[r + 2] - first[r + 1] : 0);
  for (let i = 0, filled = 0; i < n; i += 1) {
    const v = order[begin + i];
    for (let k = before.start[v]; k < before.start[v + 1]; k += 1) ends[filled++] = place[before.other[k]];
    for (let k = after.start[v]; k < after.start[v + 1]; k += 1) ends[filled++] = bound + place[after.other[k]];
    start[i + 1] = filled;
    vertex[i] = v;
    row[i] = i;
    at[i] = i;
  }
  let saved = 0;
  for (let i = 0; i < n; i += 1) {
    setTolls(room, i, bound, width);
    saved += siftVertex(room, i, n);
  }
  for (let i = 0; i < n; i += 1) {
    order[begin + i] = vertex[row[i]];
    place[vertex[i]] = at[i];
  }
  return saved;
}

function setTolls(room, i, bound, width) {
  const { start, ends, own } = room;
  let split = start[i];
  for (let k = split; k < start[i + 1]; k += 1) {
    own[ends[k]] += 1;
    if (ends[k] < bound) split += 1;
  }
  setTollsOfSide(room, 0, bound, split - start[i]);
  setTollsOfSide(room, bound, width, start[i + 1] - split);
  room.budget -= width;
}

// Of the `total` segments on that side those that end before cross from then on, and those that end behind no longer.
function setTollsOfSide({ own, toll }, begin, end, total) {
  let passed = 0;
  for (let place = begin; place < end; place += 1) {
    toll[place] = 2 * passed + own[place] - total;
    passed += own[place];
    own[place] = 0;
  }
}

function siftVertex(room, i, n) {
  const { start, ends, row, at, toll } = room;
  const here = at[i];
  let best = 0;
  let target = here;
  const last = Math.min(n - 1, here + WINDOW);
  for (let place = here + 1, change = 0; place <= last; place += 1) {
    const end = start[row[place] + 1];
    for (let k = start[row[place]]; k < end; k += 1) change += toll[ends[k]];
    if (change < best) {
      best = change;
      target = place;
    }
  }
  const least = Math.max(0, here - WINDOW);
  for (let place = here - 1, change = 0; place >= least; place -= 1) {
    const end = start[row[place] + 1];
    for (let k = start[row[place]]; k < end; k += 1) change -= toll[ends[k]];
    if (change < best) {
      best = change;
      target = place;
    }
  }
  move(room, i, target);
  return -best;
}

function move({ row, at }, i, target) {
  const step = Math.sign(target - at[i]);
  for (let place = at[i]; place !== target; place += step) {
    row[place] = row[place + step];
    at[row[place]] = place;
  }
  row[target] = i;
  at[i] = target;
}
