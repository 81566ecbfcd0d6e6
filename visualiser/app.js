// The page: the bar on top, one view at a time, the panel of a task beside it. Everything shown follows from two
// things, the store (what the daemon said) and the route (what the person asked for); when either changes, update()
// brings the page in line.

import { createActions, permit } from "./actions.js";
import { call } from "./api.js";
import { attribute, button, el, fill, lazyPart, show, text, tick } from "./dom.js";
import { amount, clip, duration, exact } from "./format.js";
import { listenForKeys } from "./keys.js";
import { tell } from "./notices.js";
import { go, link, route } from "./router.js";
import { createStore } from "./store.js";
import { tasksView } from "./tasks.js";

const TICK_MS = 1_000;
const FRESH_S = 40; // a quiet daemon is heard of every WAIT_S of store.js
const REASON_LENGTH = 300;

const part = (id) => document.getElementById(id);

// On a screen as narrow as this the panel lies over everything else; the same width stands in style.css.
const narrow = matchMedia("(max-width: 48rem)");

const store = createStore(call, storeChanged);
const actions = createActions(store);
const context = { store, actions, update };

/** The views: what they are called, the key after "g" that opens them, and how they come to be. */
const VIEWS = {
  tasks: builtLater({ title: "Tasks", key: "t", amount: ({ total }) => total }, () => tasksView(context)),
  graph: lazyView("Graph", "g", async () => (await import("./graph/open.js")).openGraph(context)),
  timeline: lazyView("Timeline", "l", async () => (await import("./timeline/view.js")).timelineView(context)),
  workers: lazyView("Workers", "w", async () => (await import("./workers.js")).workersView(context), {
    amount: ({ workers }) => workers.active + workers.disabled,
  }),
  resources: lazyView("Resources", "r", async () => (await import("./resources.js")).resourcesView(context), {
    amount: ({ resources }) => resources,
  }),
  bottlenecks: lazyView("Bottlenecks", "b", async () => (await import("./bottlenecks.js")).bottlenecksView(context)),
  history: lazyView("History", "h", async () => (await import("./history/view.js")).historyView(context), {
    start: { history: { part: "", run: "", of: "", after: "" } },
  }),
  server: lazyView("Server", "s", async () => (await import("./server.js")).serverView(context)),
};

// A view whose code is here from the start: other views come sooner when it is built only once it is shown.
function builtLater(facts, build) {
  let view = null;
  const built = () => (view ??= build());
  return {
    ...facts,
    get node() {
      return built().node;
    },
    prepare: (asked) => built().prepare?.(asked),
    update: (asked) => built().update(asked),
  };
}

function lazyView(title, key, load, more = {}) {
  return { title, key, ...more, ...lazyPart(title.toLowerCase(), load) };
}

const details = lazyPart("the details", async () => (await import("./details.js")).detailsPanel(context));
const lost = banner("alert", "bad", "Try now", store.refresh);
const trouble = banner("alert", "bad", "Try again", store.retry);
const paused = banner("status", "calm", "Resume", () => actions.setPaused(false));
const links = Object.entries(VIEWS).map(navigationLink);
const showKeys = listenForKeys([
  { keys: "/", words: "look for tasks", act: lookForTasks },
  ...Object.entries(VIEWS).map(([tab, { title, key, start }]) => ({
    keys: `g ${key}`,
    words: `go to ${title.toLowerCase()}`,
    act: () => go({ tab, page: 1, ...start }),
  })),
  { keys: "n", words: "the next page", act: () => press(".pager button:last-child") },
  { keys: "p", words: "the page before", act: () => press(".pager button:first-child") },
  { keys: "d", words: "light, dark, or as the system has it", act: nextTheme },
  { keys: "Escape", words: "close the details", act: () => go({ task: "" }) },
  { keys: "?", words: "these keys", act: () => showKeys() },
]);

let scheduled = false;

/** Brings the page in line with the store and the route, before it is next painted. */
function update() {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    const asked = route();
    updateBar(asked);
    updateBanners();
    updateView(asked);
    updatePanel(asked);
    updateFreshness();
  });
}

function navigationLink([tab, { title, amount: amountOf, start }]) {
  const number = el("span", { class: "amount" });
  const node = el("a", {}, title, " ", number);
  part("nav").append(node);
  return {
    update(current) {
      // With the page before it: to tools, a link that is scrolled away and begins with '#' is one to skip something.
      attribute(node, "href", location.pathname + location.search + link({ tab, page: 1, ...start }));
      attribute(node, "aria-current", tab === current && "page");
      show(number, amountOf && store.overview);
      if (amountOf && store.overview) text(number, amount(amountOf(store.overview)));
    },
  };
}

let placed = "";

// On a narrow screen the bar scrolls: it does once for each view, and when the numbers in it are first known.
function placeNavigation(tab) {
  if (!narrow.matches) return;
  const place = `${tab} ${store.overview !== null}`;
  if (place === placed) return;
  placed = place;
  part("nav").querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "center" });
}

function updateBar({ tab }) {
  for (const each of links) each.update(tab);
  placeNavigation(tab);
  const { overview } = store;
  show(part("pause"), overview?.features.pause && !overview.paused);
  permit(part("pause"), store, "pause");
  const failed = store.counts.FAILED;
  document.title = failed ? `${amount(failed)} failed · luigid` : "luigid";
  attribute(part("icon"), "href", failed ? "icon-failed.svg" : "icon.svg");
  updateTheme();
}

const THEMES = {
  system: ["◐", "Colours follow the system"],
  light: ["☀", "Colours are light"],
  dark: ["☾", "Colours are dark"],
};

function updateTheme() {
  const [sign, words] = THEMES[theme.chosen()];
  text(part("theme"), sign);
  attribute(part("theme"), "aria-label", `${words}: change`);
  attribute(part("theme"), "title", `${words} ( d )`);
}

function nextTheme() {
  theme.next();
  update();
}

function banner(role, classes, deed, act) {
  const words = el("p");
  const press = button(deed, act);
  const node = el("div", { role, class: `banner ${classes}`, hidden: true }, words, press);
  part("banners").append(node);
  return {
    press,
    update(wanted) {
      show(node, wanted);
      text(words, wanted ?? "");
    },
  };
}

function updateBanners() {
  lost.update(store.lost && lostWords(store));
  trouble.update(!store.lost && store.trouble ? `Not all could be read: ${store.trouble.message}.` : null);
  paused.update(store.overview?.paused ? "Paused: running tasks go on, but no worker is given a new one." : null);
  permit(paused.press, store, "unpause");
}

function lostWords({ lost: { error, since }, loaded, readAt }) {
  const shown = loaded ? `What is shown is from ${exact(readAt / 1000)}.` : "Nothing could be read so far.";
  const loss = `No news from the daemon since ${exact(since / 1000)}: ${clip(error.message, REASON_LENGTH)}.`;
  return `${loss} ${shown} It is asked again every few seconds.`;
}

let shownTab = null;

function updateView(asked) {
  if (!store.loaded) {
    VIEWS[asked.tab].prepare?.(asked);
    return;
  }
  if (shownTab && shownTab !== asked.tab) VIEWS[shownTab].leave?.();
  shownTab = asked.tab;
  fill(part("main"), VIEWS[asked.tab].node);
  VIEWS[asked.tab].update(asked);
}

let opener = null;

function updatePanel(asked) {
  const { task } = asked;
  const panel = part("panel");
  const opens = task && panel.hidden;
  const closes = !task && !panel.hidden;
  if (opens) opener = document.activeElement;
  show(panel, task);
  part("layout").classList.toggle("with-panel", Boolean(task));
  attribute(part("main"), "inert", task !== "" && narrow.matches);
  fill(panel, details.node);
  if (task) details.update(asked);
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

function lookForTasks() {
  go({ tab: "tasks", page: 1 });
  // The view is shown with the next update.
  queueMicrotask(() => part("filter")?.focus());
}

function press(selector) {
  part("main").querySelector(selector)?.click();
}

addEventListener("hashchange", update);
addEventListener("themechange", update);
narrow.addEventListener("change", update);
part("pause").addEventListener("click", () => actions.setPaused(true));
part("theme").addEventListener("click", nextTheme);
part("help").addEventListener("click", showKeys);
part("skip").addEventListener("click", (event) => {
  event.preventDefault(); // its target in the address would take the place of the route
  part("main").focus();
});
setInterval(() => {
  tick();
  updateFreshness();
}, TICK_MS);
VIEWS[route().tab].prepare?.(route());
store.watch();
updateBar(route());
setTimeout(amount, 0, 0); // what it needs is made while the daemon answers
