// Graphs for the tests and the benchmark of the layout, from a seed: the same ones every time.
//
// Each is { count, from, to }: edge e leads from what is depended on to what depends on it.

/** Numbers from 0 to 1 (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function graph(count, pairs) {
  return { count, from: Int32Array.from(pairs, ([dep]) => dep), to: Int32Array.from(pairs, ([, task]) => task) };
}

// Layers of `width`, each node with so many different dependencies, chosen by `choose(layer, place)`.
function layers(count, width, dependencies, choose) {
  const pairs = [];
  for (let v = width; v < count; v += 1) {
    const chosen = new Set();
    while (chosen.size < dependencies) chosen.add(choose(Math.floor(v / width), v % width));
    for (const dep of chosen) pairs.push([dep, v]);
  }
  return graph(count, pairs);
}

export const SHAPES = {
  /** Three dependencies a node, anywhere in the layer before. */
  layered(count) {
    const next = random(1);
    const width = count < 5_000 ? 50 : 100;
    return layers(count, width, 3, (layer) => (layer - 1) * width + Math.floor(next() * width));
  },

  /** The same, but close by. */
  local(count) {
    const next = random(2);
    return layers(count, 40, 3, (layer, place) => (layer - 1) * 40 + ((place + Math.floor(next() * 7) + 37) % 40));
  },

  /** One dependency in the layer before, and now and then one far back. */
  skips(count) {
    const next = random(3);
    const pairs = [];
    for (let v = 25; v < count; v += 1) {
      const layer = Math.floor(v / 25);
      pairs.push([(layer - 1) * 25 + Math.floor(next() * 25), v]);
      if (layer > 2 && next() < 0.3) pairs.push([Math.floor(next() * (layer - 1) * 25), v]);
    }
    return graph(count, pairs);
  },

  /** Eight tasks a day, each of which needs its own of the day before and another one of the day. */
  dates(count) {
    const next = random(4);
    const pairs = [];
    for (let v = 0; v < count; v += 1) {
      if (v >= 8) pairs.push([v - 8, v]);
      if (v % 8) pairs.push([v - (v % 8) + Math.floor(next() * (v % 8)), v]);
    }
    return graph(count, pairs);
  },

  /** A root with very many dependencies, which share some of their own. */
  wide(count) {
    const next = random(5);
    const many = Math.floor(count * 0.7);
    const pairs = [];
    for (let v = 1; v <= many; v += 1) pairs.push([v, 0]);
    for (let v = many + 1; v < count; v += 1) {
      const first = Math.floor(next() * many);
      pairs.push([v, 1 + first], [v, 1 + ((first + 1 + Math.floor(next() * (many - 1))) % many)]);
    }
    return graph(count, pairs);
  },

  chain: (count) =>
    graph(
      count,
      Array.from({ length: count - 1 }, (_, v) => [v, v + 1]),
    ),

  /** A raw task a day, and a report a day over the last seven of them. */
  windows(count) {
    const pairs = [];
    for (let v = 0; v < count; v += 1) {
      const day = Math.floor(v / 2);
      if (v % 2) for (let back = 0; back < 7 && back <= day; back += 1) pairs.push([2 * (day - back), v]);
      else if (day) pairs.push([v - 2, v]);
    }
    return graph(count, pairs);
  },
};

/** How many nodes each has in the tests. */
export const SMALL = { layered: 300, local: 300, skips: 200, dates: 300, wide: 300, chain: 200, windows: 100 };

/** How many pairs of [a, b] there are of which one has the smaller a and the larger b. */
export function inversions(pairs) {
  pairs.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const values = [...new Set(pairs.map(([, b]) => b))].sort((p, q) => p - q);
  const place = new Map(values.map((b, i) => [b, i + 1]));
  const tree = new Int32Array(values.length + 1);
  let found = 0;
  pairs.forEach(([, b], before) => {
    let notBeyond = 0;
    for (let i = place.get(b); i > 0; i -= i & -i) notBeyond += tree[i];
    found += before - notBeyond;
    for (let i = place.get(b); i < tree.length; i += i & -i) tree[i] += 1;
  });
  return found;
}
