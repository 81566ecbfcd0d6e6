// The page: the bar on top, one view at a time, the panel of a task beside it. Everything shown follows from two
// things, the store (what the daemon said) and the route (what the person asked for); when either changes, update()
// brings the page in line.

import { createActions } from "./actions.js";
import { call } from "./api.js";
import { changesView } from "./changes.js";
import { detailsPanel } from "./details.js";
import { attribute, button, el, fill, show, text, tick } from "./dom.js";
import { amount, clip, duration, exact } from "./format.js";
import { lazyView } from "./lazy.js";
import { tell } from "./notices.js";
import { resourcesView } from "./resources.js";
import { go, link, route } from "./router.js";
import { createStore } from "./store.js";
import { tasksView } from "./tasks.js";
import { workersView } from "./workers.js";

const TICK_MS = 1_000;
const SEARCH_DELAY_MS = 300;
const FRESH_S = 10;
const REASON_LENGTH = 300;

const part = (id) => document.getElementById(id);

// On a screen as narrow as this the panel lies over everything else; the same width stands in style.css.
const narrow = matchMedia("(max-width: 48rem)");

const store = createStore(call, () => route().search, storeChanged);
const actions = createActions(store.refresh);
const views = {
  tasks: tasksView(store),
  workers: workersView(store, actions),
  resources: resourcesView(store, actions),
  changes: changesView(store, call, update),
  graph: lazyView("graph", async () => (await import("./graph/view.js")).graphView({ store, actions, update })),
};
const details = detailsPanel(store, actions, update);
const lost = banner("alert", "bad", "Try now", store.refresh);
const paused = banner("status", "calm", "Resume", () => actions.setPaused(false));

/** Brings the page in line with the store and the route. */
function update() {
  const asked = route();
  updateBar(asked);
  updateBanners();
  updateView(asked);
  updatePanel(asked);
  updateFreshness();
}

function updateBar({ tab }) {
  const amounts = { tasks: store.total, workers: store.workers.length, resources: store.resources.length };
  for (const anchor of part("nav").children) {
    const { tab: its } = anchor.dataset;
    attribute(anchor, "href", link({ tab: its, page: 1 }));
    attribute(anchor, "aria-current", its === tab && "page");
    if (its in amounts) text(anchor.querySelector(".amount"), store.loaded ? amount(amounts[its]) : "");
  }
  show(part("pause"), store.pauseEnabled && !store.paused);
  const failed = store.counts.get("FAILED");
  document.title = failed ? `${amount(failed)} failed · luigid` : "luigid";
}

function banner(role, classes, deed, act) {
  const words = el("p");
  const node = el("div", { role, class: `banner ${classes}`, hidden: true }, words, button(deed, act));
  part("banners").append(node);
  return {
    node,
    update(wanted) {
      show(node, wanted);
      text(words, wanted ?? "");
    },
  };
}

function updateBanners() {
  lost.update(store.lost && lostWords(store));
  paused.update(store.paused ? "Paused: running tasks go on, but no worker is given a new one." : null);
}

function lostWords({ lost: { error, since }, loaded, readAt }) {
  const shown = loaded ? `What is shown is from ${exact(readAt / 1000)}.` : "Nothing could be read so far.";
  const loss = `No news from the daemon since ${exact(since / 1000)}: ${clip(error.message, REASON_LENGTH)}.`;
  return `${loss} ${shown} It is asked again every few seconds.`;
}

function updateView(asked) {
  if (!store.loaded) return;
  fill(part("main"), views[asked.tab].node);
  views[asked.tab].update(asked);
}

let opener = null;

function updatePanel({ task }) {
  const panel = part("panel");
  const opens = task && panel.hidden;
  const closes = !task && !panel.hidden;
  if (opens) opener = document.activeElement;
  show(panel, task);
  part("layout").classList.toggle("with-panel", Boolean(task));
  attribute(part("main"), "inert", task !== "" && narrow.matches);
  fill(panel, details.node);
  if (task) details.update(task);
  if (opens && narrow.matches) panel.focus();
  if (closes) opener?.focus({ preventScroll: true });
}

function updateFreshness() {
  const node = part("freshness");
  const age = (Date.now() - store.readAt) / 1000;
  node.dataset.state = store.lost ? "lost" : store.loaded ? "live" : "new";
  if (store.lost) text(node, "No answer");
  else if (store.loaded) text(node, age < FRESH_S ? "Live" : `Read ${duration(age)} ago`);
}

let wasLost = false;

function storeChanged() {
  if (wasLost && !store.lost) tell("The daemon answers again.");
  wasLost = store.lost !== null;
  update();
}

let searched = route().search;
let searchTimer = 0;

function routeChanged() {
  update();
  const { search } = route();
  if (search === searched) return;
  searched = search;
  clearTimeout(searchTimer);
  // What the daemon would not list is looked for there.
  if (store.unlisted.length) searchTimer = setTimeout(store.refresh, SEARCH_DELAY_MS);
}

function keyPressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "Escape") go({ task: "" });
  if (event.key === "/") {
    event.preventDefault();
    go({ tab: "tasks", page: 1 });
    part("filter")?.focus();
  }
}

addEventListener("hashchange", routeChanged);
addEventListener("keydown", keyPressed);
narrow.addEventListener("change", update);
part("pause").addEventListener("click", () => actions.setPaused(true));
part("skip").addEventListener("click", (event) => {
  event.preventDefault(); // its target in the address would take the place of the route
  part("main").focus();
});
setInterval(() => {
  tick();
  updateFreshness();
}, TICK_MS);
store.watch();
