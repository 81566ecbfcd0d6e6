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
  const { first, order, real, count } = layers;
  const y = new Float64Array(count);
  const apart = new Float64Array(count); // from the vertex before it in its rank
  const half = (v) => (v < real ? size[v] + gaps.between : gaps.dummy) / 2;
  const ranks = first.length - 1;
  for (let r = 0; r < ranks; r += 1) {
    for (let i = first[r] + 1; i < first[r + 1]; i += 1) {
      apart[order[i]] = half(order[i - 1]) + half(order[i]);
      y[order[i]] = y[order[i - 1]] + apart[order[i]];
    }
    const middle = y[order[first[r + 1] - 1]] / 2;
    for (let i = first[r]; i < first[r + 1]; i += 1) y[order[i]] -= middle;
  }
  const pools = { value: new Float64Array(count), weight: new Float64Array(count), end: new Int32Array(count) };
  const sweeps = Math.max(FEWEST, Math.min(SWEEPS, Math.floor(BUDGET / (count + layers.after.other.length))));
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const both = sweep >= sweeps / 2;
    if (both && sweep < sweeps / 2 + 1) level(layers, y);
    for (let i = 0; i < ranks; i += 1) {
      if (sweep % 2) relax(layers, y, apart, pools, ranks - 1 - i, both, true);
      else relax(layers, y, apart, pools, i, true, both);
    }
  }
  level(layers, y);
  straighten(layers, y, apart);
  return y;
}

// Turns a drawing that climbs from rank to rank, as chains of dates do, into the horizontal.
function level({ first, order }, y) {
  const ranks = first.length - 1;
  const middle = (order.length && order.reduce((sum, v) => sum + y[v], 0)) / order.length;
  let [product, square] = [0, 0];
  const forEach = (deed) => {
    for (let r = 0; r < ranks; r += 1) for (let i = first[r]; i < first[r + 1]; i += 1) deed(order[i], r - ranks / 2);
  };
  forEach((v, x) => {
    product += x * (y[v] - middle);
    square += x * x;
  });
  forEach((v, x) => (y[v] -= (product / square) * x));
}

// Draws one rank towards its neighbours on the sides named. A pool is a run of vertices that touch each other: its
// value is the place of the first of them, were they all shifted to it, that suits them best together.
function relax(layers, y, apart, { value, weight, end }, r, lookBefore, lookAfter) {
  const { first, order, before, after } = layers;
  let pools = 0;
  let offset = 0;
  for (let i = first[r]; i < first[r + 1]; i += 1) {
    const v = order[i];
    offset += apart[v];
    let [sum, total] = [INERTIA * y[v], INERTIA];
    const pulled = (side) => {
      for (let k = side.start[v]; k < side.start[v + 1]; k += 1) {
        const u = side.other[k];
        const w = WEIGHTS[(u >= layers.real) + (v >= layers.real)];
        sum += w * y[u];
        total += w;
      }
    };
    if (lookBefore) pulled(before);
    if (lookAfter) pulled(after);
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

// Puts the vertices of simple paths on one line, as many in a row as have room for it; where they stand is a mean.
function straighten(layers, y, apart) {
  const { count, before, after } = layers;
  const only = (side, v) => (side.start[v + 1] - side.start[v] === 1 ? side.other[side.start[v]] : -1);
  const following = (v) => {
    const next = only(after, v);
    return next >= 0 && only(before, next) === v ? next : -1;
  };
  for (let v = 0; v < count; v += 1) {
    const previous = only(before, v);
    if (previous >= 0 && following(previous) === v) continue;
    const path = [];
    for (let next = v; next >= 0; next = following(next)) path.push(next);
    for (let begin = 0; begin + 1 < path.length;) begin = alignRun(layers, y, apart, path, begin);
  }
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
