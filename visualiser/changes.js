// What people changed by hand, the latest first: as the daemon has it on record, read anew whenever the store is.

import { el, list, show, text, timeElement } from "./dom.js";
import { clip } from "./format.js";
import { pageOf, pager } from "./pager.js";
import { go } from "./router.js";

const PER_PAGE = 50;
const WORDS_LENGTH = 300;

/** @param store  see store.js; @param call  see api.js; @param changed  called when there is more to show */
export function changesView(store, call, changed) {
  const lines = el("ol", { class: "changes" });
  const nothing = el("p", { class: "empty" }, "Nothing was changed by hand since the daemon started.");
  const pages = pager((page) => go({ page }));
  let entries = [];
  let readAt = 0;

  async function read() {
    if (readAt === store.readAt) return;
    readAt = store.readAt;
    try {
      entries = await call("audit");
      changed();
    } catch (error) {
      text(nothing, `The changes could not be read: ${error.message}`);
    }
  }

  return {
    node: el("section", { "aria-label": "Changes" }, lines, nothing, pages.node),
    update(route) {
      const page = pageOf(entries, route.page, PER_PAGE);
      list(lines, page.items, keyOf, line);
      show(nothing, entries.length === 0);
      pages.update(page);
      read();
    },
  };
}

const keyOf = ({ time, call: method, arguments: given }) => `${time} ${method} ${given}`;

function line({ time, user, address, call: method, arguments: given }) {
  const when = timeElement();
  when.update(time);
  const words = `${user ?? "somebody"} from ${address ?? "this machine"}: ${method} ${given}`;
  return { node: el("li", {}, when.node, " ", clip(words, WORDS_LENGTH)), update() {} };
}
