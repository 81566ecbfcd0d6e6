// The first half of a layered layout: which edges have to be turned around so that no cycle is left, and in which rank
// (column) each node stands. Everything here is iterative and in typed arrays: a chain of 100,000 nodes is legal.

/**
 * Neighbours of each vertex: those of v are other[start[v] .. start[v + 1] - 1], by edge[…] of them.
 * @param {number} count  of vertices
 * @param {Int32Array} ends  of each edge, the end that looks
 * @param {Int32Array} others  of each edge, the end that is seen
 */
export function adjacency(count, ends, others) {
  const start = new Int32Array(count + 1);
  for (const end of ends) start[end + 1] += 1;
  for (let v = 0; v < count; v += 1) start[v + 1] += start[v];
  const next = start.slice();
  const other = new Int32Array(ends.length);
  const edge = new Int32Array(ends.length);
  for (let e = 0; e < ends.length; e += 1) {
    const place = next[ends[e]]++;
    other[place] = others[e];
    edge[place] = e;
  }
  return { start, other, edge };
}

const ON_PATH = 1;
const LEFT = 2;

/**
 * The edges that close a cycle, those from a node to itself included: 1, else 0. Without them there is no cycle left.
 * @returns {Uint8Array}
 */
export function closingEdges(count, from, to) {
  const { start, other, edge } = adjacency(count, from, to);
  const closing = new Uint8Array(from.length);
  const state = new Uint8Array(count);
  const next = start.slice();
  const path = [];
  const walk = (root) => {
    if (state[root]) return;
    state[root] = ON_PATH;
    path.push(root);
    while (path.length) {
      const v = path.at(-1);
      const place = next[v]++;
      if (place >= start[v + 1]) {
        state[v] = LEFT;
        path.pop();
      } else if (state[other[place]] === ON_PATH) {
        closing[edge[place]] = 1;
      } else if (!state[other[place]]) {
        state[other[place]] = ON_PATH;
        path.push(other[place]);
      }
    }
  };
  // From where nothing comes first: what is above a cycle then stays above it.
  const entered = new Uint8Array(count);
  for (const v of to) entered[v] = 1;
  for (let v = 0; v < count; v += 1) if (!entered[v]) walk(v);
  for (let v = 0; v < count; v += 1) walk(v);
  return closing;
}

/** The vertices of an acyclic graph, each after all it has an edge from. */
export function topological(count, from, to) {
  const { start, other } = adjacency(count, from, to);
  const missing = new Int32Array(count);
  for (const v of to) missing[v] += 1;
  const sorted = new Int32Array(count);
  let filled = 0;
  for (let v = 0; v < count; v += 1) if (!missing[v]) sorted[filled++] = v;
  for (let i = 0; i < filled; i += 1) {
    const v = sorted[i];
    for (let k = start[v]; k < start[v + 1]; k += 1) if (--missing[other[k]] === 0) sorted[filled++] = other[k];
  }
  return sorted;
}

const ROUNDS = 12;

/**
 * The rank of each vertex of an acyclic graph, from 0: edges go from a lower to a higher one, and are short. Ranks by
 * longest path, after which vertices with more edges on one side go to that side as far as they can.
 * @returns {Int32Array}
 */
export function ranksOf(count, from, to) {
  const sorted = topological(count, from, to);
  const below = adjacency(count, to, from);
  const above = adjacency(count, from, to);
  const rank = new Int32Array(count);
  for (const v of sorted) rank[v] = lowest(below, rank, v);
  for (let round = 0, moved = true; moved && round < ROUNDS; round += 1) {
    moved = false;
    for (let i = count - 1; i >= 0; i -= 1) {
      const wanted = better(below, above, rank, sorted[i]);
      moved ||= wanted !== rank[sorted[i]];
      rank[sorted[i]] = wanted;
    }
  }
  return rank;
}

function lowest(below, rank, v) {
  let least = 0;
  for (let k = below.start[v]; k < below.start[v + 1]; k += 1) least = Math.max(least, rank[below.other[k]] + 1);
  return least;
}

function better(below, above, rank, v) {
  const [first, end] = [above.start[v], above.start[v + 1]];
  const pull = end - first - (below.start[v + 1] - below.start[v]);
  if (pull < 0) return lowest(below, rank, v);
  if (pull === 0) return rank[v];
  let most = rank[above.other[first]] - 1;
  for (let k = first + 1; k < end; k += 1) most = Math.min(most, rank[above.other[k]] - 1);
  return most;
}
