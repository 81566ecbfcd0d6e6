// Building and updating the document.
//
// Nothing here, or anywhere in this page, turns a string into markup: text arrives by text nodes and textContent, and
// attributes one at a time. What a task is called is therefore never more than what it is called.
//
// A component is an object { node, update(…) }: `node` is made once, update() may be called at any time with the same
// or other facts and leaves the node showing them. Untouched nodes keep focus, selection and scroll position.

import { ago, exact } from "./format.js";

/**
 * A new element.
 * @param {string} tag
 * @param {Object} attributes  name to value, as for attribute(); a function under "onNAME" is a listener
 * @param {...(Node|string|null)} children
 */
export function el(tag, attributes = {}, ...children) {
  return made(document.createElement(tag), attributes, children);
}

/** The same of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return made(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Loads a sheet that only a part of the page needs; resolves when it is there. */
export function loadStyles(href) {
  return new Promise((resolve) => {
    document.head.append(el("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
  });
}

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else attribute(node, name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A button that does something; `attributes` as for el(), its class is "button" unless they say otherwise. */
export function button(words, onclick, attributes = {}) {
  return el("button", { type: "button", class: "button", onclick, ...attributes }, words);
}

/**
 * A choice of one thing.
 * @param {string} name  what it is called, for people who do not see it
 * @param {Array<[string, string]>} options  values, and the words for them
 * @param {function(string)} chosen  called with the value of what a person chose
 */
export function choice(name, options, chosen) {
  const entries = options.map(([value, words]) => el("option", { value }, words));
  const node = el("select", { "aria-label": name, onchange: () => chosen(node.value) }, ...entries);
  return {
    node,
    update(value) {
      if (node.value !== value) node.value = value;
    },
  };
}

/** Sets an attribute if it differs; true means present and empty; null, undefined and false mean absent. */
export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== attributeText(value)) node.setAttribute(name, attributeText(value));
}

const attributeText = (value) => (value === true ? "" : String(value));

/** Sets a node's text if it differs. */
export function text(node, value) {
  const wanted = String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Shows or hides a node. */
export function show(node, visible) {
  attribute(node, "hidden", !visible);
}

/** Makes these nodes the children of `parent`, touching nothing when they already are. */
export function fill(parent, ...children) {
  const wanted = children.filter((child) => child !== null);
  const same = wanted.length === parent.childNodes.length && wanted.every((child, i) => child === parent.childNodes[i]);
  if (!same) parent.replaceChildren(...wanted);
}

const componentsOf = new WeakMap();

/**
 * Makes the children of `parent` the components of `items`, one each and in this order. A component lives as long as an
 * item with its key does.
 * @param {Element} parent  holds nothing else
 * @param {Array} items
 * @param {function(item): *} key  unique among the items
 * @param {function(item): {node: Element, update: function(item)}} make
 */
export function list(parent, items, key, make) {
  const focused = document.activeElement;
  const known = componentsOf.get(parent) ?? new Map();
  const wanted = new Map(items.map((item) => [key(item), item]));
  for (const [id, component] of known) if (!wanted.has(id)) component.node.remove();

  const components = new Map();
  let place = parent.firstElementChild;
  for (const [id, item] of wanted) {
    const component = known.get(id) ?? make(item);
    component.update(item);
    components.set(id, component);
    if (component.node === place) place = place.nextElementSibling;
    else parent.insertBefore(component.node, place);
  }
  componentsOf.set(parent, components);
  // An element that is moved loses the focus on the way.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

/**
 * Says that something is being read, or could not be, with the means to try again.
 * @param {...Object} facts  see lookup() of api.js; it is the first that one waits for
 */
export function failureNote(...facts) {
  const words = el("span");
  const retry = button("Try again", () => failed().forEach((each) => each.retry()), { class: "button small" });
  const node = el("p", { class: "reading" }, words, " ", retry);
  const failed = () => facts.filter(({ error }) => error);
  return {
    node,
    update() {
      const [trouble] = failed();
      show(node, trouble || facts[0].value === null);
      show(retry, trouble);
      attribute(node, "role", trouble ? "alert" : "status");
      text(words, trouble ? `Could not be read: ${trouble.error.message}.` : "Reading");
    },
  };
}

/** A <time> for an epoch in seconds: relative text, the exact one on hover; see tick(). */
export function timeElement() {
  const node = el("time", { onpointerenter: tellExactly });
  return {
    node,
    update(epoch) {
      const known = Number.isFinite(epoch);
      attribute(node, "data-epoch", known ? epoch : null);
      attribute(node, "datetime", known ? new Date(epoch * 1000).toISOString() : null);
      attribute(node, "title", null);
      text(node, known ? ago(epoch) : "unknown");
    },
  };
}

// Not before somebody points at it: a table is full of them.
function tellExactly({ currentTarget: node }) {
  attribute(node, "title", "epoch" in node.dataset && exact(Number(node.dataset.epoch)));
}

/** Brings the relative times on the page up to now. */
export function tick() {
  for (const node of document.querySelectorAll("time[data-epoch]")) text(node, ago(Number(node.dataset.epoch)));
}

/** A bar filled to value of total, described to screen readers by `label`. */
export function bar(label) {
  const node = el("div", { class: "meter", role: "meter", "aria-label": label, "aria-valuemin": 0 }, el("div"));
  return {
    node,
    update(value, total) {
      attribute(node, "aria-valuenow", value);
      attribute(node, "aria-valuemax", Math.max(total, value));
      node.classList.toggle("over", value > total);
      node.firstChild.style.width = `${share(value, total)}%`;
    },
  };
}

function share(value, total) {
  if (total <= 0) return value > 0 ? 100 : 0;
  return Math.max(0, Math.min(100, (100 * value) / total));
}

/**
 * A part of the page whose code is fetched when it is first shown: most people never open most of it.
 * @param {string} name  what it is called, for people
 * @param {function(): Promise<{node: Element, update: function(*), leave: ?function()}>} load  fetches and makes it
 */
export function lazyPart(name, load) {
  const words = el("p", { class: "empty", role: "status" });
  const node = el("div", {}, words);
  let part = null;
  let asked = false;
  let facts = null;

  async function fetchOnce() {
    if (asked) return;
    asked = true;
    text(words, `Loading ${name}`);
    try {
      part = await load();
      fill(node, part.node);
      if (facts !== null) part.update(facts);
    } catch (error) {
      text(words, `Could not load ${name}: ${error.message}. Reload the page to try again.`);
    }
  }

  return {
    node,
    /** Fetches it ahead of its first update(). */
    prepare: fetchOnce,
    update(wanted) {
      facts = wanted;
      if (part) part.update(facts);
      else fetchOnce();
    },
    /** Called when it is no longer shown. */
    leave() {
      part?.leave?.();
    },
  };
}
