// The keys that work anywhere outside of fields: one table, from which the help is made, too.

import { el } from "./dom.js";
import { dialog } from "./notices.js";

// How long after "g" the second key may come.
const SECOND_KEY_MS = 1_500;

/**
 * @param {Array<{keys: string, words: string, act: function()}>} table  `keys`: one key, or two after each other as "g t"
 * @returns {function()} shows the table
 */
export function listenForKeys(table) {
  const deeds = new Map(table.map(({ keys, act }) => [keys, act]));
  const leaders = new Set([...deeds.keys()].filter((keys) => keys.length === 3).map(([leader]) => leader));
  let leader = null;
  let timer = 0;

  function forget() {
    clearTimeout(timer);
    leader = null;
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, select, textarea, dialog")) return;
    const deed = deeds.get(leader ? `${leader} ${event.key}` : event.key);
    const leads = !leader && leaders.has(event.key);
    forget();
    if (leads) {
      leader = event.key;
      timer = setTimeout(forget, SECOND_KEY_MS);
    }
    if (!deed) return;
    event.preventDefault();
    deed();
  });

  return () => showHelp(table);
}

const IN_TABLES = [
  ["↓ ↑ or j k", "the next row, the one before"],
  ["Enter", "open the details of the row"],
];

function showHelp(table) {
  const known = [...table.map(({ keys, words }) => [keys, words]), ...IN_TABLES];
  const lines = known.map(([keys, words]) => el("div", {}, el("dt", {}, ...keysOf(keys)), el("dd", {}, words)));
  const close = el("form", { method: "dialog", class: "answers" }, el("button", { class: "button" }, "Close"));
  const about = el("p", { class: "muted" }, "Everything can be done by keyboard: Tab reaches every control.");
  dialog({ title: "Keys" }, el("dl", { class: "keys" }, ...lines), about, close);
}

const keysOf = (keys) => (keys.includes("or") ? [keys] : keys.split(" ").map((key) => el("kbd", {}, key)));
