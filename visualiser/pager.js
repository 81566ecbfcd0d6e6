// Pages of a long list: what is in the document stays bounded, however many tasks there are.

import { attribute, button, el, show, text } from "./dom.js";
import { amount } from "./format.js";

/** Where a page (counted from 1; past the end means the last) of `length` things stands among `total`. */
export function pageAt(page, length, total) {
  const last = Math.max(1, Math.ceil(total / length));
  const number = Math.min(page, last);
  const start = (number - 1) * length;
  return { number, last, start, total, shown: Math.min(length, total - start) };
}

/** The items of such a page, with where it stands. */
export function pageOf(items, page, length) {
  const place = pageAt(page, length, items.length);
  return { ...place, items: items.slice(place.start, place.start + length) };
}

/** @param {function(number)} turn  called with the number of the page to go to */
export function pager(turn) {
  let at = 1;
  const before = button("Previous", () => turn(at - 1));
  const after = button("Next", () => turn(at + 1));
  const place = el("span", { class: "muted" });
  const node = el("div", { class: "pager", role: "group", "aria-label": "Pages" }, before, place, after);
  return {
    node,
    /** @param page  from pageAt() or pageOf() */
    update(page) {
      at = page.number;
      show(node, page.last > 1);
      text(place, `${amount(page.start + 1)} to ${amount(page.start + page.shown)} of ${amount(page.total)}`);
      attribute(before, "disabled", page.number === 1);
      attribute(after, "disabled", page.number === page.last);
    },
  };
}
