// The node that is selected: come to by keys, clicked, found, or because its task is in the panel; and what is found of
// what was looked for.

import { el, text } from "../dom.js";
import { go, route as currentRoute } from "../router.js";
import { namesIn } from "./common.js";
import { change } from "./controls.js";
import { anchorOf, hitsOf, nearest } from "./scene.js";

const FOCUS_STEPS = "2";

/**
 * @param stage  see stage.js
 * @param {{changed: function(), found: function(string)}} told  `changed`: another node is selected; `found` says what
 *   was, in words
 */
export function createSelection(stage, told) {
  const said = el("p", { class: "offscreen", "aria-live": "polite" });
  let scene = null;
  let selected = -1;
  let found = [];
  let looked = "";

  function select(v) {
    selected = v;
    stage.setMarks(selected, found);
    told.changed();
    if (v >= 0) text(said, scene.title(v));
  }

  function open(v) {
    select(v);
    const family = scene.familyOf(v);
    if (!scene.isFamily(v)) go({ task: scene.idOf(v) });
    else if (scene.whole) go({ tab: "tasks", family, page: 1 });
    else change({ open: JSON.stringify([...namesIn(currentRoute().graph.open), family]) });
  }

  function focusOn(v) {
    if (v < 0 || scene.isFamily(v)) return;
    const steps = currentRoute().graph.steps || FOCUS_STEPS;
    go({ task: "", graph: { taskId: scene.idOf(v), both: "1", invert: "", steps } });
  }

  // ---- from node to node ----

  function arriveAt(v) {
    select(v);
    stage.see(v);
    return true;
  }

  function goToNext(nodes, step) {
    if (nodes.length) arriveAt(nodes[(nodes.indexOf(selected) + step + nodes.length) % nodes.length]);
  }

  const first = () => (scene.rooted ? scene.nodeOf[0] : 0);

  // With the shift key arrows move the camera.
  function walk(event, candidatesOf) {
    if (event.shiftKey) return false;
    if (selected < 0) return arriveAt(first());
    const next = nearest(scene, selected, candidatesOf(selected));
    if (next !== undefined) return arriveAt(next);
    text(said, "Nothing there");
    return true;
  }

  const KEYS = {
    ArrowLeft: (event) => walk(event, scene.needs),
    ArrowRight: (event) => walk(event, scene.neededBy),
    ArrowUp: (event) => walk(event, scene.above),
    ArrowDown: (event) => walk(event, scene.below),
    Home: () => arriveAt(first()),
    Enter() {
      if (selected >= 0) open(selected);
      return true;
    },
    f() {
      focusOn(selected);
      return true;
    },
    Escape() {
      if (selected < 0 || currentRoute().task) return false; // the page closes the details first
      select(-1);
      return true;
    },
  };

  function lookFor(wanted) {
    looked = wanted;
    const { nodes, words } = hitsOf(scene, wanted);
    told.found(words);
    found = nodes;
    stage.setMarks(selected, found);
  }

  return {
    /** Says to those who cannot see it what is selected. */
    node: said,
    /** The node that is selected; -1 if none is. */
    get selected() {
      return selected;
    },
    open,
    focusOn,
    /** @param {number} v  the node that was clicked; -1: none */
    pick: (v) => (v < 0 ? select(-1) : open(v)),
    pickAgain: () => focusOn(selected),
    /** @returns {boolean} whether use was made of a key */
    press: (event) => Boolean(scene?.count && KEYS[event.key]?.(event)),
    /** To the next (1) or the last (-1) of what was found. */
    goToFound: (step) => goToNext(found, step),
    /** To the next task of a status, by its number. */
    goToStatus: (status) => goToNext(scene.withStatus(status), 1),
    /** Shows another scene. */
    setScene(fresh) {
      const anchor = anchorOf(scene, selected, fresh);
      stage.setScene(fresh, anchor);
      selected = selected >= 0 && anchor ? anchor.to : -1;
      scene = fresh;
      lookFor(looked);
    },
    /** The task whose details are open is selected, and what was newly looked for is gone to. */
    follow({ task, graph }) {
      if (looked !== graph.find) {
        lookFor(graph.find);
        if (found.length) arriveAt(found[0]);
      }
      const v = task ? scene.nodeOfTask(task) : -1;
      if (v >= 0 && v !== selected) arriveAt(v);
    },
  };
}
