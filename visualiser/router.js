// The address after '#' holds the state of the view, so that it can be kept, sent and gone back to. Its names are those
// that stock's page uses (tab, statuses, family, search__search, order, length, taskId, hideDone, invert), because
// bookmarks and mails are full of them; the others are this page's own. Whatever cannot be read falls back to its
// default: no address opens an empty page.

/** The views by the names that addresses have for them. */
const TABS = {
  __proto__: null, // "toString" is no tab
  tasks: "tasks",
  graph: "graph",
  timeline: "timeline",
  history: "history",
  workers: "workers",
  resources: "resources",
  resource: "resources",
  bottlenecks: "bottlenecks",
  server: "server",
  changes: "server",
};

// What only the graph understands, each a string; see graph/view.js. The first three are stock's.
const OF_GRAPH = ["taskId", "hideDone", "invert", "both", "steps", "group", "open", "path", "list", "find"];

// What only these understand, and what their addresses alone have: see timeline/view.js and history/view.js.
const OF_VIEWS = {
  timeline: ["by", "span", "from", "to", "rows"],
  history: ["part", "run", "of", "host", "sorted", "after", "last", "scale"],
};

/** The columns of the task table, each with its number in the links of stock's page. */
const COLUMNS = ["status", "task", "priority", "since", "worker"];
const NUMBERED = ["status", "task", "task", "priority", "since"];

const DEFAULT_LENGTH = 50;
const LONGEST = 500;

/**
 * Reads an address.
 * @param {string} hash  with or without its '#'
 * @returns {{tab: string, statuses: string[], family: string, worker: string, params: Object<string, string>,
 *            since: string, until: string, search: string, sort: string, descending: boolean, length: number,
 *            page: number, task: string, graph: Object<string, string>, timeline: Object<string, string>,
 *            history: Object<string, string>}}
 *          page counts from 1; task is an id, or empty; since and until are empty, a local time as in an
 *          <input type="datetime-local">, or "-3600": so many seconds ago
 */
export function parse(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const [column, direction] = (query.get("order") ?? "").split(",");
  return {
    tab: TABS[query.get("tab")] ?? "tasks",
    statuses: strings(query.get("statuses")),
    family: query.get("family") ?? "",
    worker: query.get("worker") ?? "",
    params: pairs(query.getAll("param")),
    since: moment(query.get("since")),
    until: moment(query.get("until")),
    search: query.get("search__search") ?? "",
    sort: COLUMNS.includes(column) ? column : (NUMBERED[Number(column)] ?? "status"),
    descending: direction === "desc",
    length: Math.min(whole(query.get("length"), DEFAULT_LENGTH), LONGEST),
    page: whole(query.get("page"), 1),
    task: query.get("task") ?? "",
    graph: namedIn(query, OF_GRAPH),
    timeline: namedIn(query, OF_VIEWS.timeline),
    history: namedIn(query, OF_VIEWS.history),
  };
}

const namedIn = (query, names) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]));

function strings(json) {
  if (!json) return [];
  try {
    const value = JSON.parse(json);
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  } catch {
    return json.split(",");
  }
}

function pairs(texts) {
  const found = texts.map((text) => text.match(/^([^=]+)=(.*)$/s)).filter(Boolean);
  return Object.fromEntries(found.map(([, name, value]) => [name, value]));
}

const moment = (text) => (/^(-\d{1,9}|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?)$/.test(text ?? "") ? text : "");

function whole(digits, otherwise) {
  return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : otherwise;
}

/** The address of a state; what has its default is left out. */
export function format(route) {
  const query = new URLSearchParams({ tab: route.tab });
  if (route.statuses.length) query.set("statuses", JSON.stringify(route.statuses));
  for (const name of ["family", "worker", "since", "until"]) if (route[name]) query.set(name, route[name]);
  for (const [name, value] of Object.entries(route.params)) query.append("param", `${name}=${value}`);
  if (route.search) query.set("search__search", route.search);
  const order = `${route.sort},${route.descending ? "desc" : "asc"}`;
  if (order !== "status,asc") query.set("order", order);
  if (route.length !== DEFAULT_LENGTH) query.set("length", route.length);
  if (route.page !== 1) query.set("page", route.page);
  if (route.task) query.set("task", route.task);
  for (const name of OF_GRAPH) if (route.graph[name]) query.set(name, route.graph[name]);
  for (const name of OF_VIEWS[route.tab] ?? []) if (route[route.tab][name]) query.set(name, route[route.tab][name]);
  return `#${query}`;
}

let read = { hash: null, state: null };

/** The state in the address bar; not to be changed. Every link of a view asks for it. */
export function route() {
  if (read.hash !== location.hash) read = { hash: location.hash, state: parse(location.hash) };
  return read.state;
}

/** The address that differs from the one in the address bar by these changes. */
export function link(changes) {
  const now = route();
  const own = ["graph", ...Object.keys(OF_VIEWS)].map((tab) => [tab, { ...now[tab], ...changes[tab] }]);
  return format({ ...now, ...changes, ...Object.fromEntries(own) });
}

/** Goes there. `replace` leaves no step to go back to: for what changes with every key. */
export function go(changes, { replace = false } = {}) {
  const address = link(changes);
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event("hashchange"));
}
