// What the timeline shows, read and put in order: what runs, and the last run of each task, from the scheduler; where
// a history is recorded, what was before, and how long runs usually take, from there.

import { ask, call, lookup, now } from "../api.js";
import { around, fromHistory, fromMemory, lanesOf, markSlow, merged } from "./rows.js";

const MOST = 5_000;
const HISTORY_PAGE = 1_000;
const READ_EVERY_MS = 2_000;
const HISTORY_EVERY_S = 60;

const NO_RUNS = { lanes: [], families: [], statuses: [], runs: [], complete: true };

/** @param context  see app.js */
export function createRuns({ store, update }) {
  const live = lookup(readLive, update, { keep: true });
  const recorded = lookup(readRecorded, update, { keep: true });
  const expected = lookup(readExpected, update, { keep: true });
  const state = {
    /** All that is known around the window, by start. See rows.js. */
    runs: [],
    /** Those lanes of it in which anything ran in the window. */
    lanes: [],
    live,
    recorded,
    /** Whether there is more than is shown. */
    get cut() {
      return live.value?.complete === false || recorded.value?.complete === false;
    },
    /** Whether there are changes that are not read yet. */
    get behind() {
      return seen !== store.revision;
    },
    /** The runs in a window. */
    shownIn: (window) => state.runs.filter((run) => isIn(run, window)),
    update: updateAll,
  };
  let view = null;
  let all = []; // every lane around the window
  let made = [];
  let [seen, readAt, version] = [null, 0, 0];

  /** @returns {{runs: boolean, lanes: boolean}} what has changed by that */
  function updateAll(route, window) {
    view = window;
    read(route);
    const facts = [live.value, recorded.value, route.timeline.by];
    const fresh = facts.some((fact, place) => fact !== made[place]);
    if (fresh) arrange((made = facts));
    markSlow(state.runs, expected.value ?? new Map(), now());
    // Lanes in which nothing ran meanwhile would only be in the way.
    const lanes = all.filter((lane) => lane.runs.some((run) => isIn(run, view)));
    const others = fresh || lanes.length !== state.lanes.length || lanes.some((lane, n) => lane !== state.lanes[n]);
    if (others) state.lanes = lanes;
    return { runs: fresh, lanes: others };
  }

  function read({ family, worker }) {
    // Where much happens, it is read again every two seconds, not with each change.
    if (state.behind && Date.now() - readAt >= READ_EVERY_MS) {
      [seen, readAt] = [store.revision, Date.now()];
      version += 1;
    }
    // A window that moves on asks another question only with the next cell.
    const question = { ...around(view.from, view.to), family, worker };
    live.update(question, version);
    if (!store.overview?.features.history) return;
    recorded.update(question, view.live ? Math.floor(now() / HISTORY_EVERY_S) : 0);
    expected.update(null, version);
  }

  function arrange([memory, history, by]) {
    const own = fromMemory(memory ?? NO_RUNS);
    const known = new Set(own.map(({ id }) => id));
    state.runs = merged(own, history?.rows ?? []);
    for (const run of state.runs) run.known = known.has(run.id);
    all = lanesOf(state.runs, by === "family" ? "family" : "worker");
  }

  return state;
}

const isIn = ({ start, end }, { from, to }) => start <= to && (end ?? now()) >= from;

function readLive({ from, to, family, worker }, signal) {
  const only = { family: family ? [family] : [], worker };
  return call("runs", { since: from, until: to, by: "worker", limit: MOST, ...only }, signal);
}

/** The runs that ended in a time; and those that began in it, or before, and ended soon after. */
async function readRecorded({ from, to, family, worker }, signal) {
  const rows = [];
  let after = "";
  const read = (fields) => ask("history/runs", { family, worker, limit: HISTORY_PAGE, ...fields }, signal);
  while (after !== null && rows.length < MOST) {
    const page = await read({ sort: "-finished", since: from, until: to, after });
    rows.push(...page.rows);
    after = page.next;
  }
  const later = to < now() ? await read({ sort: "finished", since: to }) : { rows: [] };
  const spanning = later.rows.filter(({ started, finished }) => started !== null && started <= to && finished > to);
  return { rows: fromHistory([...rows, ...spanning]), complete: after === null };
}

/** How long a run of each family should take that runs now and ran before. */
async function readExpected(_, signal) {
  const { rows } = await ask("history/expectations", {}, signal);
  return new Map(rows.filter(({ expected }) => expected !== null).map((row) => [row.family, row]));
}
