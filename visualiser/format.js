// Facts as words: numbers, times, names of tasks and workers. Nothing here touches the document.

import { now } from "./api.js";

// Made when they are first needed: each takes 10 ms, which the first questions to the daemon need not wait for.
let numbers = null;
let moments = null;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 12345 as the reader writes it: "12,345". */
export function amount(n) {
  numbers ??= new Intl.NumberFormat();
  return numbers.format(n);
}

/** "1 task", "3 tasks". */
export const counted = (n, noun, plural = `${noun}s`) => `${amount(n)} ${n === 1 ? noun : plural}`;

/** A length of time in seconds, to two units: "42 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return twoUnits(s, MINUTE, "min", 1, "s");
  if (s < DAY) return twoUnits(s, HOUR, "h", MINUTE, "min");
  return twoUnits(s, DAY, "d", HOUR, "h");
}

function twoUnits(seconds, large, largeName, small, smallName) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ""}`;
}

/** A short time in seconds: "85 µs", "1.2 ms", "3 s". */
export function instant(seconds) {
  const [size, unit] = seconds < 0.001 ? [1e-6, "µs"] : seconds < 1 ? [0.001, "ms"] : [1, "s"];
  return `${amount(Number((seconds / size).toPrecision(3)))} ${unit}`;
}

/** "93.5 %" of a share from 0 to 1. */
export const percentOf = (share) => `${amount(Number((100 * share).toPrecision(3)))} %`;

/** How long something took, in seconds: to the millisecond while that is much, "850 ms", "4.25 s", "3 min 20 s". */
export const took = (seconds) => (seconds < 10 ? instant(Math.max(0, seconds)) : duration(seconds));

/** A number of bytes: "699 B", "1.4 MiB". */
export function bytes(n) {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, n)) / 10)));
  return `${amount(Number((n / 1024 ** power).toPrecision(3)))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

/** An epoch in seconds, seen from now, to one unit: "4 min ago", "in 2 h". */
export function ago(epoch) {
  const seconds = now() - epoch;
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const words = oneUnit(size);
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

function oneUnit(seconds) {
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

/** An epoch in seconds as date and time of day. */
export function exact(epoch) {
  moments ??= new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return moments.format(new Date(epoch * 1000));
}

/** At most `limit` characters: a parameter may be megabytes long. */
export const clip = (content, limit) => (content.length > limit ? `${content.slice(0, limit)}…` : content);

/** What a value of any JSON type looks like. */
export const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** A task's family, or its id where nothing else is known of it. */
export const taskName = ({ name, id, status }) => (status !== "UNKNOWN" && name) || id;

/** "date=2024-03-01, table=orders": a task's public parameters in one line. */
export function parameters(task) {
  return Object.entries(task.params ?? {})
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(", ");
}

/** "gpu 1, postgres 2": what a task takes up. */
export function resourceNeeds(resources) {
  return Object.entries(resources ?? {})
    .map(([name, n]) => `${name} ${amount(n)}`)
    .join(", ");
}

/** "host · pid" of a worker, from what it said about itself or else from its id, which by default says the same. */
export function workerName(worker) {
  const host = worker.host ?? worker.name.match(/\bhost=(.*?)(?:, \w+=|\)$)/)?.[1];
  const pid = worker.pid ?? worker.name.match(/\bpid=(\d+)/)?.[1];
  return host === undefined ? worker.name : [host, pid].filter((part) => part !== undefined).join(" · ");
}

/** The shell command that runs a task again; `error` is a reply of fetch_error. */
export function command({ taskModule, taskFamily, taskParams }) {
  const options = Object.entries(taskParams ?? {}).map(
    ([name, value]) => `--${name.replaceAll("_", "-")}=${plain(value)}`,
  );
  const module = taskModule ? ["--module", taskModule] : [];
  return ["luigi", ...module, taskFamily, ...options].map(quoted).join(" ");
}

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The address, if it is one that may become a link; a task can put anything there, "javascript:…" too. */
export function webAddress(address) {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
