// What the tests use of node:test, for a browser, and run(), which runs those of a file.

let tests = [];
let prepare = () => {};

export const test = (name, deed) => tests.push({ name, deed });
export const beforeEach = (deed) => (prepare = deed);

/**
 * Runs the tests of a file, one after the other.
 * @param {string} address  of the file
 * @returns {Promise<Array<{name: string, error: string}>>} all of them; error is empty where there was none
 */
export async function run(address) {
  tests = [];
  prepare = () => {};
  await import(address);
  const outcomes = [];
  for (const { name, deed } of tests) outcomes.push({ name, error: await errorOf(deed) });
  mock.timers.reset();
  return outcomes;
}

async function errorOf(deed) {
  try {
    await prepare();
    await deed();
    return "";
  } catch (error) {
    return error.stack;
  }
}

const real = { setTimeout, clearTimeout };
let now = 0;
let timers = new Map();

function tick(ms) {
  const end = now + ms;
  for (;;) {
    const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
    if (!due.length) break;
    const [[id, { at, deed }]] = due;
    timers.delete(id);
    now = at;
    deed();
  }
  now = end;
}

let last = 0;
const fake = {
  setTimeout(deed, ms = 0) {
    last += 1;
    timers.set(last, { at: now + ms, deed });
    return last;
  },
  clearTimeout: (id) => void timers.delete(id),
};

export const mock = {
  timers: {
    enable: () => Object.assign(globalThis, fake),
    reset() {
      timers = new Map();
      Object.assign(globalThis, real);
    },
    tick,
  },
};
