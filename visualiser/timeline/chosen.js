// The run that is chosen: come to by keys, clicked, or because its task is in the panel. It is marked on the stage, and
// a line below tells of it, or of the one under the pointer.

import { now } from "../api.js";
import { el, text } from "../dom.js";
import { go, route } from "../router.js";
import { runAcross, runAlong, sameIn } from "./rows.js";
import { showing, windowOf } from "./window.js";
import { runWords } from "./wording.js";

/**
 * @param stage  see stage.js
 * @param data  see data.js
 * @param {{view: function(): Object, lookAt: function(Object)}} window  the one looked through, and to look through
 *   another
 */
export function createChosen(stage, data, { view, lookAt }) {
  const node = el("p", { class: "muted timeline-about", "aria-live": "polite" });
  let chosen = null;

  function tell(run) {
    text(node, run ? runWords(run) : "");
  }

  function open(run) {
    chosen = run;
    stage.mark(run);
    if (run.number !== null && !run.known) go({ tab: "history", history: { run: String(run.number), of: "" } });
    else go({ task: run.id });
    return true;
  }

  function choose(run) {
    if (!run) return true;
    chosen = run;
    stage.see(run);
    tell(run);
    const wanted = showing(view(), run.start, now());
    if (wanted !== view()) lookAt(wanted);
    return true;
  }

  function letGo() {
    if (!chosen || route().task) return false; // the page closes the details first
    chosen = null;
    stage.mark(null);
    tell(null);
    return true;
  }

  const first = () => data.shownIn(view())[0];
  const last = () => data.shownIn(view()).at(-1);
  const KEYS = {
    __proto__: null,
    ArrowLeft: () => choose(chosen ? runAlong(data.lanes, chosen, -1) : last()),
    ArrowRight: () => choose(chosen ? runAlong(data.lanes, chosen, 1) : last()),
    ArrowUp: () => choose(chosen ? runAcross(data.lanes, chosen, -1) : last()),
    ArrowDown: () => choose(chosen ? runAcross(data.lanes, chosen, 1) : last()),
    Home: () => choose(first()),
    End: () => choose(last()),
    Enter: () => chosen && open(chosen),
    0: () => (lookAt(windowOf({}, now())), true),
    Escape: letGo,
  };

  // The task in the panel is the one that is marked, wherever it was opened.
  function follow(task) {
    const run = task && chosen?.id !== task && data.runs.findLast(({ id }) => id === task);
    if (!run) return;
    chosen = run;
    stage.see(run);
  }

  return {
    node,
    open,
    /** @param {?Object} run  the one under the pointer */
    tell: (run) => tell(run ?? chosen),
    /** @returns {boolean} whether use was made of a key */
    press: ({ key }) => Boolean(KEYS[key]?.()),
    /** @param {string} task  the one in the panel, or empty @param {boolean} isFresh  whether runs were read anew */
    update(task, isFresh) {
      if (isFresh && chosen) chosen = sameIn(data.runs, chosen);
      stage.mark(chosen);
      follow(task);
    },
  };
}
