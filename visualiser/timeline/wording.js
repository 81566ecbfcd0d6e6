// What the timeline says, in words.

import { now } from "../api.js";
import { amount, clip, counted, duration, exact, took, workerName } from "../format.js";
import { label } from "../task.js";

const NAME_LENGTH = 80;

/** What a lane is called; `by`: worker or family. */
export const laneName = (name, by) => (by === "family" ? name : name ? workerName({ name }) : "no worker known");

/** A run in one sentence. */
export function runWords({ id, family, worker, status, start, end, slow, usual }) {
  const lasted = took((end ?? now()) - start);
  const where = worker ? ` on ${clip(workerName({ name: worker }), NAME_LENGTH)}` : "";
  const late = slow ? `; longer than usual, which is ${took(usual)}` : "";
  const name = id.startsWith(family) ? id : `${family} ${id}`;
  const time = `${end === null ? `for ${lasted}` : lasted} from ${exact(start)}`;
  return `${clip(name, 2 * NAME_LENGTH)}: ${label(status)}, ${time}${where}${late}`;
}

/** Of a run that takes, or took, longer than usual: how long. */
export function slowWords({ start, end, usual }) {
  const lasted = duration((end ?? now()) - start);
  return `${end === null ? `running for ${lasted}` : `took ${lasted}`}, usually ${took(usual)}`;
}

/** How many runs there are, and of which kinds. */
export function summaryWords(runs) {
  const count = (test) => runs.filter(test).length;
  const bad = count(({ status }) => status === "FAILED" || status === "DISABLED");
  const going = count(({ end }) => end === null);
  const late = count(({ slow }) => slow);
  const parts = [counted(runs.length, "run"), `${amount(going)} running`, `${amount(bad)} failed`];
  if (late) parts.push(`${amount(late)} longer than usual`);
  return parts.join(" · ");
}

/** Why there is nothing to see. */
export function emptyWords({ live }, hasHistory) {
  if (live) return "Nothing ran in this time.";
  if (hasHistory) return "Nothing ran in this time that is still known.";
  return "Nothing that ran in this time is still known: with [scheduler] record_task_history = true, it would be.";
}

/** Which time is looked at. */
export function windowWords({ from, to, live }) {
  return live ? `last ${duration(to - from)}` : `${exact(from)}, ${duration(to - from)}`;
}
