// Where the vertices of ordered layers stand across the ranks: near to their neighbours, and straight lines straight.
//
// Each rank is drawn towards the neighbours of its vertices, as springs would do it: the sum of the weighted squares of
// the distances is made as small as the order and the gaps allow, which for one rank is an isotonic regression, solved
// exactly by pooling neighbours that push each other. Sweeps over all ranks look to one side first, so that what is
// learnt at one end reaches the other, then to both. What a simple path goes through is put on one line at the end, as
// far as there is room.

const SWEEPS = 24;
const FEWEST = 6;
const BUDGET = 20e6;

// How much an edge wants to be short; a long one shall not bend on its way. As in Gansner et al., "A technique for
// drawing directed graphs" (1993).
const WEIGHTS = [1, 2, 8];

// What has no neighbours to go by would rather stay.
const INERTIA = 0.01;

/**
 * The coordinate of each vertex across the ranks, dummies included.
 * @param {import("./order.js").Layers} layers  ordered
 * @param {Float32Array} size  of each real vertex across the ranks
 * @param {{between: number, dummy: number}} gaps  between vertices, and the size of a dummy
 * @returns {Float64Array} of their middles
 */
export function acrossRanks(layers, size, gaps) {
  const { first, count } = layers;
  const springs = springsOf(layers);
  const apart = distancesOf(layers, size, gaps);
  const y = stacked(layers, apart);
  const pools = { value: new Float64Array(count), weight: new Float64Array(count), end: new Int32Array(count) };
  const ranks = first.length - 1;
  const sweeps = Math.max(FEWEST, Math.min(SWEEPS, Math.floor(BUDGET / (count + layers.after.other.length))));
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const both = sweep >= sweeps / 2;
    const backwards = sweep % 2 === 1;
    if (both && sweep < sweeps / 2 + 1) level(layers, y);
    for (let i = 0; i < ranks; i += 1) {
      const r = backwards ? ranks - 1 - i : i;
      relax(layers, springs, y, apart, pools, r, both || !backwards, both || backwards);
    }
  }
  level(layers, y);
  straighten(layers, y, apart);
  return y;
}

// How far each vertex is from the one before it in its rank, at the least.
function distancesOf({ first, order, real, count }, size, { between, dummy }) {
  const half = new Float64Array(count).fill(dummy / 2);
  for (let v = 0; v < real; v += 1) half[v] = (size[v] + between) / 2;
  const apart = new Float64Array(count);
  for (let r = 0; r + 1 < first.length; r += 1) {
    for (let i = first[r] + 1; i < first[r + 1]; i += 1) apart[order[i]] = half[order[i - 1]] + half[order[i]];
  }
  return apart;
}

// Each rank as close as can be, round the same line.
function stacked({ first, order, count }, apart) {
  const y = new Float64Array(count);
  for (let r = 0; r + 1 < first.length; r += 1) {
    for (let i = first[r] + 1; i < first[r + 1]; i += 1) y[order[i]] = y[order[i - 1]] + apart[order[i]];
    const middle = y[order[first[r + 1] - 1]] / 2;
    for (let i = first[r]; i < first[r + 1]; i += 1) y[order[i]] -= middle;
  }
  return y;
}

// The weight of each segment as seen from before and from after, and the sum of them for each vertex.
function springsOf({ count, real, before, after }) {
  return { before: springsTo(before, count, real), after: springsTo(after, count, real) };
}

function springsTo({ start, other }, count, real) {
  const weight = new Float64Array(other.length);
  const total = new Float64Array(count);
  for (let v = 0; v < count; v += 1) {
    for (let k = start[v]; k < start[v + 1]; k += 1) {
      weight[k] = WEIGHTS[(v < real ? 0 : 1) + (other[k] < real ? 0 : 1)];
      total[v] += weight[k];
    }
  }
  return { start, other, weight, total };
}

// Turns a drawing that climbs from rank to rank, as chains of dates do, into the horizontal.
function level({ count, first, rank }, y) {
  const centre = (first.length - 1) / 2;
  let middle = 0;
  for (let v = 0; v < count; v += 1) middle += y[v] / count;
  let product = 0;
  let square = 0;
  for (let v = 0; v < count; v += 1) {
    const x = rank[v] - centre;
    product += x * (y[v] - middle);
    square += x * x;
  }
  for (let v = 0; v < count; v += 1) y[v] -= (product / square) * (rank[v] - centre);
}

// Draws one rank towards its neighbours on the sides named. A pool is a run of vertices that touch each other: its
// value is the place of the first of them, were they all shifted to it, that suits them best together.
function relax({ first, order }, { before, after }, y, apart, { value, weight, end }, r, looksBefore, looksAfter) {
  let pools = 0;
  let offset = 0;
  for (let i = first[r]; i < first[r + 1]; i += 1) {
    const v = order[i];
    offset += apart[v];
    let sum = INERTIA * y[v];
    let total = INERTIA;
    if (looksBefore) {
      sum += pull(before, v, y);
      total += before.total[v];
    }
    if (looksAfter) {
      sum += pull(after, v, y);
      total += after.total[v];
    }
    value[pools] = sum / total - offset;
    weight[pools] = total;
    end[pools++] = i + 1;
    while (pools > 1 && value[pools - 2] > value[pools - 1]) {
      pools -= 1;
      const both = weight[pools - 1] + weight[pools];
      value[pools - 1] = (value[pools - 1] * weight[pools - 1] + value[pools] * weight[pools]) / both;
      weight[pools - 1] = both;
      end[pools - 1] = end[pools];
    }
  }
  offset = 0;
  for (let i = first[r], pool = 0; i < first[r + 1]; i += 1) {
    if (i === end[pool]) pool += 1;
    offset += apart[order[i]];
    y[order[i]] = value[pool] + offset;
  }
}

function pull({ start, other, weight }, v, y) {
  let sum = 0;
  const end = start[v + 1];
  for (let k = start[v]; k < end; k += 1) sum += weight[k] * y[other[k]];
  return sum;
}

// Puts the vertices of simple paths on one line, as many in a row as have room for it; where they stand is a mean.
function straighten(layers, y, apart) {
  const { count, before, after } = layers;
  const path = new Int32Array(count);
  for (let v = 0; v < count; v += 1) {
    const previous = only(before, v);
    if (previous >= 0 && only(after, previous) === v) continue; // it is on that one's path
    let length = 0;
    for (let next = v; next >= 0; next = following(layers, next)) path[length++] = next;
    for (let begin = 0; begin + 1 < length;) begin = alignRun(layers, y, apart, path.subarray(0, length), begin);
  }
}

const only = ({ start, other }, v) => (start[v + 1] - start[v] === 1 ? other[start[v]] : -1);

function following({ before, after }, v) {
  const next = only(after, v);
  return next >= 0 && only(before, next) === v ? next : -1;
}

function alignRun({ order, place, first, rank }, y, apart, path, begin) {
  let [low, high, sum, end] = [-Infinity, Infinity, 0, begin];
  for (; end < path.length; end += 1) {
    const v = path[end];
    const at = first[rank[v]] + place[v];
    const next = at + 1 < first[rank[v] + 1] ? order[at + 1] : -1;
    const least = place[v] ? y[order[at - 1]] + apart[v] : -Infinity;
    const most = next >= 0 ? y[next] - apart[next] : Infinity;
    if (Math.max(low, least) > Math.min(high, most)) break;
    [low, high, sum] = [Math.max(low, least), Math.min(high, most), sum + y[v]];
  }
  const line = Math.max(low, Math.min(high, sum / (end - begin)));
  for (let i = begin; i < end; i += 1) y[path[i]] = line;
  return Math.max(end, begin + 1);
}
