// Mouse, pen and fingers on the stage, as what they mean: drag, pinch, wheel, click, click again, hover.

const CLICK_PX = 5;
const TWICE_MS = 400;
const LINE_PX = 16;
const WHEEL_PX = 120; // the most that one turn of a wheel counts

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

  const place = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };

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
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    // Pinching a touchpad arrives as small turns of a wheel with the control key.
    const strength = event.ctrlKey ? 0.01 : 0.002;
    told.zoom(Math.exp(-strength * Math.max(-WHEEL_PX, Math.min(WHEEL_PX, pixels))), ...place(event));
  }

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => told.hover(null, null));
  canvas.addEventListener("wheel", turn, { passive: false });
}

const apart = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
