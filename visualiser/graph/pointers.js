// Mouse, pen and fingers on the stage, as what they mean: drag, pinch, wheel, click, click again, hover.

import { hearPointers, placeIn, wheelFactor } from "../canvas.js";

const CLICK_PX = 5;
const TWICE_MS = 400;

/**
 * @param {Element} canvas
 * @param {{pan: function(number, number), zoom: function(number, number, number), pick: function(number, number),
 *   pickAgain: function(), hover: function(?number, ?number)}} told  all in CSS pixels from the corner of the canvas;
 *   `zoom` gets the factor first; `pickAgain` follows `pick` when the same place is clicked twice
 */
export function listenToPointers(canvas, told) {
  const down = new Map();
  let dragged = 0;
  let click = null;

  const place = (event) => placeIn(canvas, event);

  function press(event) {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event);
    dragged = down.size > 1 ? Infinity : 0;
  }

  function move(event) {
    const before = down.get(event.pointerId);
    if (!before) return told.hover(...place(event));
    down.set(event.pointerId, event);
    dragged += apart(event, before);
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    if (down.size === 2) pinch(event, before, dx, dy);
    else if (dragged > CLICK_PX) told.pan(dx, dy);
  }

  // What is between the fingers stays there.
  function pinch(event, before, dx, dy) {
    const other = [...down.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    const [[x, y], [otherX, otherY]] = [place(event), place(other)];
    told.zoom(apart(event, other) / Math.max(1, apart(before, other)), (x + otherX) / 2, (y + otherY) / 2);
    told.pan(dx / 2, dy / 2);
  }

  function lift(event) {
    const known = down.delete(event.pointerId);
    if (!known || event.type !== "pointerup" || dragged > CLICK_PX) return;
    const twice = click && event.timeStamp - click.timeStamp < TWICE_MS && apart(event, click) <= CLICK_PX;
    click = twice ? null : event;
    if (twice) told.pickAgain();
    else told.pick(...place(event));
  }

  function turn(event) {
    event.preventDefault();
    told.zoom(wheelFactor(event), ...place(event));
  }

  hearPointers(canvas, { press, move, lift, turn, leave: () => told.hover(null, null) });
}

const apart = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
