// What is long: a table of which only the rows in sight, and some around them, are in the document (all rows are equally
// high), and lists of which one page is.

import { attribute, button, el, list, show, text } from "./dom.js";
import { amount } from "./format.js";

// Rows kept above and below what is in sight, so that arrow keys and small movements always find one.
const MARGIN = 8;
const USUAL_HEIGHT = 34;

/**
 * @param {{name: string, columns: Array<{name: string, title: string, falls: ?boolean, sorts: ?boolean}>,
 *          sort: function(Object), row: function(item): Object, key: function(item): string}} options
 *          `name` is for screen readers; a column that `falls` is sorted from the top at first; one without a title
 *          does not sort; `sort` is called with the { sort, descending } chosen; `row` makes the component of an item
 */
export function virtualTable({ name, columns, sort, row, key }) {
  let items = [];
  let height = USUAL_HEIGHT;
  let first = 0; // the place of the first row in the document
  const headings = columns.map((column) => heading(column, sort));
  const above = spacer();
  const below = spacer();
  const body = el("tbody");
  const node = el(
    "table",
    { class: "virtual", onkeydown: moveFocus },
    el("caption", { class: "offscreen" }, name),
    el("thead", {}, el("tr", {}, ...headings.map((each) => each.node))),
    above.node,
    body,
    below.node,
  );
  let scheduled = false;
  addEventListener("scroll", drawSoon, { passive: true });
  addEventListener("resize", drawSoon);

  function drawSoon() {
    if (scheduled || !node.isConnected) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw();
    });
  }

  function draw() {
    const top = body.getBoundingClientRect().top - first * height;
    const from = Math.max(0, Math.min(Math.floor(-top / height), items.length) - MARGIN);
    put(from, Math.max(from, Math.min(items.length, Math.ceil((innerHeight - top) / height) + MARGIN)));
  }

  // Mostly the first rows are in sight: to look would be to lay out the page without them.
  function begin() {
    put(0, Math.min(items.length, Math.ceil(innerHeight / height)));
    drawSoon();
  }

  function put(from, to) {
    first = from;
    list(body, items.slice(from, to), key, row);
    above.update(from * height);
    below.update((items.length - to) * height);
  }

  return {
    node,
    /** @param {Array} wanted  the items; `order` as given to `sort` */
    update(wanted, order) {
      items = wanted;
      show(node, items.length > 0);
      for (const each of headings) each.update(order);
      if (body.firstElementChild) draw();
      else begin();
      // How high a row is hangs on the reader's font size and on the screen.
      const measured = body.firstElementChild?.getBoundingClientRect().height;
      if (measured && Math.abs(measured - height) > 0.1) {
        height = measured;
        draw();
      }
    },
  };
}

function heading({ name, title, falls = false, sorts = true }, choose) {
  if (!title) return { node: el("td", { class: `${name}-column` }), update() {} };
  if (!sorts) return { node: el("th", { scope: "col", class: `${name}-column` }, el("span", {}, title)), update() {} };
  const press = el("button", { type: "button" }, title);
  const node = el("th", { scope: "col", class: `${name}-column` }, press);
  return {
    node,
    update({ sort, descending }) {
      const sorted = sort === name;
      attribute(node, "aria-sort", sorted && (descending ? "descending" : "ascending"));
      press.onclick = () => choose({ sort: name, descending: sorted ? !descending : falls });
    },
  };
}

function spacer() {
  const cell = el("td");
  const node = el("tbody", { "aria-hidden": "true", class: "spacer" }, el("tr", {}, cell));
  return {
    node,
    update(height) {
      show(node, height > 0);
      cell.style.height = `${height}px`;
    },
  };
}

// Up and down from row to row, by arrows or as in vi.
function moveFocus(event) {
  const step = STEPS[event.key];
  const neighbour = step && event.target.closest("tr")?.[step];
  if (!neighbour?.closest("tbody")) return;
  event.preventDefault();
  neighbour.querySelector("a")?.focus();
}

const STEPS = {
  __proto__: null,
  ArrowDown: "nextElementSibling",
  j: "nextElementSibling",
  ArrowUp: "previousElementSibling",
  k: "previousElementSibling",
};

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
