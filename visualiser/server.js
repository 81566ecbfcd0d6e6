// The daemon itself: how it is, how much it has to do, how it is set up, and what people changed by hand.

import { call, lookup } from "./api.js";
import { attribute, el, failureNote, list, show, text, timeElement } from "./dom.js";
import { NOTHING, figureTable } from "./figures.js";
import { amount, bytes, clip, counted, duration, exact, instant, plain } from "./format.js";
import { pageOf, pager } from "./table.js";
import { go } from "./router.js";

const READ_EVERY_MS = 5_000;
const MOST_CALLS = 60;
const CHANGES_PER_PAGE = 50;
const WORDS_LENGTH = 300;

/** @param context  see app.js */
export function serverView({ store, update }) {
  const facts = lookup((_, signal) => call("server", {}, signal), update, { keep: true });
  const changes = lookup((_, signal) => call("audit", {}, signal), update, { keep: true });
  const reading = failureNote(facts, changes);
  const parts = [healthPart(store), callsPart(), settingsPart()];
  const trail = changesPart();
  let timer = 0;
  return {
    node: el("div", { class: "stack" }, reading.node, ...parts.map(({ node }) => node), trail.node),
    update(route) {
      facts.update(null, Math.floor(Date.now() / READ_EVERY_MS));
      changes.update(null, store.revision);
      reading.update();
      for (const part of parts) show(part.node, facts.value);
      if (facts.value) for (const part of parts) part.update(facts.value);
      if (changes.value) trail.update(changes.value, route.page);
      // What it does is no change of the state, so nothing tells of it.
      clearTimeout(timer);
      if (document.visibilityState === "visible") timer = setTimeout(update, READ_EVERY_MS);
    },
    leave: () => clearTimeout(timer),
  };
}

// Every fact of an object, nested ones by their path: "journal.bytes".
function flat(facts, path = "") {
  return Object.entries(facts ?? {}).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? flat(value, `${path}${name}.`)
      : [[`${path}${name}`, value]],
  );
}

function definitions() {
  const node = el("dl", { class: "facts wide" });
  const definition = ([name]) => {
    const value = el("dd");
    return {
      node: el("div", {}, el("dt", {}, clip(name, WORDS_LENGTH)), value),
      update: ([, words]) => text(value, clip(plain(words), WORDS_LENGTH)),
    };
  };
  return { node, update: (entries) => list(node, entries, ([name]) => name, definition) };
}

// Facts of the state are told by their unit, which their names end in.
function figure(name, value) {
  if (typeof value !== "number") return value ?? NOTHING;
  if (/(^|_|\.)time$/.test(name)) return exact(value);
  if (name.endsWith("_seconds")) return instant(value);
  return name.endsWith("_bytes") ? bytes(value) : amount(value);
}

function healthPart(store) {
  const state = el("p", { class: "headline" });
  const facts = definitions();
  const health = definitions();
  const node = el("section", { class: "card block" }, el("h2", {}, "State"), state, facts.node, health.node);
  return {
    node,
    update(server) {
      const { status = "ok", ...rest } = server.health ?? {};
      text(state, `${status === "ok" ? "✓ Healthy" : `⚠ ${plain(status)}`}: up for ${duration(server.uptime)}`);
      attribute(state, "data-state", status);
      const { person } = store;
      facts.update([
        ["luigid", server.version],
        ["Python", server.python],
        ["process", plain(server.pid)],
        ["started", exact(server.started)],
        ["you are", person?.name ? `${person.name}, ${person.role}` : "anybody: no passwords are set up"],
      ]);
      health.update(flat(rest).map(([name, value]) => [name.replaceAll("_", " "), figure(name, value)]));
    },
  };
}

const CALL_COLUMNS = [
  { title: "Call", of: (entry) => entry.call },
  { title: "A second", of: ({ rate }) => amount(Number(rate.toPrecision(2))), number: true, hint: "Of late" },
  { title: "In all", of: ({ total }) => amount(total), number: true },
  { title: "Refused", of: ({ refused }) => amount(refused), number: true },
  { title: "Mean", of: ({ mean }) => split(mean), number: true },
  { title: "Median", of: ({ p50 }) => split(p50), number: true },
  { title: "99 % within", of: ({ p99 }) => split(p99), number: true },
];

const split = (seconds) => (seconds === null ? NOTHING : instant(seconds));

function callsPart() {
  const figures = figureTable("Calls", CALL_COLUMNS, (entry) => entry.call);
  const about = el("p", { class: "muted" });
  const node = el("section", { class: "card block" }, el("header", {}, el("h2", {}, "Calls"), about), figures.node);
  let rates = new Map();
  let before = null;
  return {
    node,
    update(server) {
      if (before?.uptime !== server.uptime) {
        rates = ratesOf(server, before);
        before = server;
      }
      const { connections, calls_in_flight: busy, calls } = server;
      text(about, `${counted(connections.open, "connection")}, ${counted(busy, "call")} in hand`);
      figures.update(calls.slice(0, MOST_CALLS).map((entry) => ({ ...entry, rate: rates.get(entry.call) })));
    },
  };
}

// Calls a second between two reports; of the first one, since the daemon started.
function ratesOf({ uptime, calls }, before) {
  const passed = uptime - (before?.uptime ?? 0);
  const earlier = new Map(passed > 0 ? before?.calls.map((entry) => [entry.call, entry.total]) : []);
  const since = passed > 0 ? passed : uptime;
  return new Map(
    calls.map((entry) => [entry.call, (entry.total - (earlier.get(entry.call) ?? 0)) / Math.max(1, since)]),
  );
}

const SETTING_COLUMNS = [
  { title: "Setting", of: ({ section, name }) => `[${section}] ${name}` },
  { title: "Value", of: ({ value }) => clip(plain(value), WORDS_LENGTH) },
  { title: "From", of: ({ from }) => clip(plain(from), WORDS_LENGTH) },
];

function settingsPart() {
  const table = figureTable("Settings in force", SETTING_COLUMNS, ({ section, name }) => `${section} ${name}`);
  const all = el("input", { type: "checkbox", onchange: draw });
  const choice = el("label", { class: "check muted" }, all, "those left at their default, too");
  const head = el("header", {}, el("h2", {}, "Settings in force"), choice);
  const nothing = el("p", { class: "muted" }, "All are left at their default.");
  const node = el("section", { class: "card block" }, head, table.node, nothing);
  let settings = [];

  function draw() {
    const wanted = settings.filter(({ from }) => all.checked || from !== "default");
    show(nothing, !wanted.length);
    table.update(wanted);
  }

  return {
    node,
    update(server) {
      settings = server.settings;
      draw();
    },
  };
}

function changesPart() {
  const lines = el("ol", { class: "changes" });
  const nothing = el("p", { class: "muted" }, "Nothing was changed by hand since the daemon started.");
  const pages = pager((page) => go({ page }));
  const title = el("h2", {}, "Changed by hand");
  return {
    node: el("section", { class: "card block", "aria-label": "Changes" }, title, lines, nothing, pages.node),
    update(entries, asked) {
      const page = pageOf(entries, asked, CHANGES_PER_PAGE);
      list(lines, page.items, keyOf, changeLine);
      show(nothing, entries.length === 0);
      pages.update(page);
    },
  };
}

const keyOf = ({ time, call: method, arguments: given }) => `${time} ${method} ${given}`;

function changeLine({ time, user, address, call: method, arguments: given }) {
  const when = timeElement();
  when.update(time);
  const words = `${user ?? "somebody"} from ${address ?? "this machine"}: ${method} ${given}`;
  return { node: el("li", {}, when.node, " ", clip(words, WORDS_LENGTH)), update() {} };
}
