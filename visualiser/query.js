// What the route's filters are on the wire, and how the daemon is asked for the tasks they let through.

import { now } from "./clock.js";

/** The filters of a route and nothing else of it: what decides which tasks are meant. */
export function filtersOf({ statuses, family, worker, params, since, until, search }) {
  return { statuses, family, worker, params, since, until, search };
}

/** Whether any of them is set. */
export const isFiltered = (filters) => JSON.stringify(filters) !== JSON.stringify(NO_FILTERS);

/** No filters: merged into a route they show all tasks. */
export const NO_FILTERS = { statuses: [], family: "", worker: "", params: {}, since: "", until: "", search: "" };

/** The filters as arguments of tasks(), at this moment: "an hour ago" is another time each time it is asked. */
export function wireFilters({ statuses, family, worker, params, since, until, search }) {
  return {
    status: statuses,
    family: family ? [family] : [],
    worker,
    params,
    since: epochOf(since),
    until: epochOf(until),
    search,
  };
}

/** "-3600" or a local time of day as epoch in seconds; null for neither. */
export function epochOf(moment) {
  if (!moment) return null;
  const seconds = moment.startsWith("-") ? now() + Number(moment) : Date.parse(moment) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** The route's order as tasks() wants it. */
export const wireOrder = ({ sort, descending }) => `${descending ? "-" : ""}${WIRE_COLUMNS[sort]}`;

const WIRE_COLUMNS = { status: "status", task: "name", priority: "priority", since: "updated", worker: "worker" };
