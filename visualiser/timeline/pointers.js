// Mouse, pen and fingers on the timeline, as what they mean: drag over a time, move it, pinch, wheel, click, hover.

import { hearPointers, placeIn, wheelFactor, wheelUnit } from "../canvas.js";
import { AXIS } from "./geometry.js";

const CLICK_PX = 5;
const LEAST_PINCH = 20;

/**
 * @param {Element} canvas
 * @param {{width: number, labels: number}} size  see geometry.js; changes with the canvas
 * @param {{pan: function(number), zoom: function(number, number), drag: function(?Object), choose: function(Object),
 *   pick: function(number, number), hover: function(?number, ?number)}} told  all in CSS pixels from the corner of the
 *   canvas; `zoom` gets the factor first; `drag` says that a part, {from, to}, is dragged over, or no longer; `choose`
 *   that it was
 */
export function listenToPointers(canvas, size, told) {
  const down = new Map();
  let drag = null;

  function press(event) {
    if (event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = placeIn(canvas, event);
    down.set(event.pointerId, { x, y });
    const pans = event.pointerType === "touch" || event.shiftKey || event.button === 1 || y < AXIS;
    drag = { from: Math.max(size.labels, x), part: null, pans, distance: down.size > 1 ? Infinity : 0 };
    told.drag(null); // another pointer may have begun
  }

  function move(event) {
    const [x, y] = placeIn(canvas, event);
    const before = down.get(event.pointerId);
    if (!before) return told.hover(x, y);
    down.set(event.pointerId, { x, y });
    drag.distance += Math.abs(x - before.x) + Math.abs(y - before.y);
    if (down.size === 2) return pinch(event.pointerId, before.x, x);
    if (drag.distance <= CLICK_PX) return;
    if (drag.pans) return told.pan(before.x - x);
    drag.part = { from: drag.from, to: Math.max(size.labels, Math.min(size.width, x)) };
    told.drag(drag.part);
  }

  // What is between the fingers stays there.
  function pinch(id, before, x) {
    const [, other] = [...down].find(([each]) => each !== id);
    const apart = (one) => Math.max(LEAST_PINCH, Math.abs(one - other.x));
    told.zoom(apart(x) / apart(before), (x + other.x) / 2);
  }

  function lift(event) {
    if (!down.delete(event.pointerId) || down.size) return;
    const { part, distance } = drag;
    drag = null;
    told.drag(null);
    if (event.type !== "pointerup") return;
    if (part && Math.abs(part.to - part.from) > CLICK_PX) told.choose(part);
    else if (distance <= CLICK_PX) told.pick(...placeIn(canvas, event));
  }

  // Over the names of the lanes the wheel scrolls, as everywhere.
  function turn(event) {
    const [x] = placeIn(canvas, event);
    if (x < size.labels) return;
    event.preventDefault();
    const isAcross = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isAcross) told.pan((event.deltaX || event.deltaY) * wheelUnit(event));
    else told.zoom(wheelFactor(event), x);
  }

  hearPointers(canvas, { press, move, lift, turn, leave: () => told.hover(null, null) });
}
