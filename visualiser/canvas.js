// What the views that are drawn on a canvas have in common: sharpness, colours, and what events on it mean.

const SHARPEST = 2; // device pixels to a CSS pixel: more cost time and are not seen
const LINE_PX = 16;
const WHEEL_PX = 120; // the most that one turn of a wheel counts

/**
 * Gives a canvas, which is empty by that, as many pixels as its size on the page takes.
 * @returns {?{width: number, height: number}} that size in CSS pixels, or null while it is not shown
 */
export function resizeCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return null;
  const ratio = Math.min(SHARPEST, devicePixelRatio);
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  return { width, height };
}

/**
 * Calls `apply` with the colours of the style sheets, now and whenever they change: a canvas cannot see them by itself.
 * @param {function(CSSStyleDeclaration): Object} paletteOf  what is used of them; JSON-able
 * @param {function(Object)} apply
 * @returns {function()} to be called when there is another style sheet
 */
export function followTheme(paletteOf, apply) {
  let applied = "";
  const look = () => {
    const palette = paletteOf(getComputedStyle(document.documentElement));
    if (JSON.stringify(palette) === applied) return;
    applied = JSON.stringify(palette);
    apply(palette);
  };
  addEventListener("themechange", look);
  look();
  return look;
}

/** Hears of pointers over a canvas, and of the wheel there. One that is cancelled is lifted, too. */
export function hearPointers(canvas, { press, move, lift, leave, turn }) {
  const heard = { pointerdown: press, pointermove: move, pointerup: lift, pointercancel: lift, pointerleave: leave };
  for (const [type, hear] of Object.entries(heard)) canvas.addEventListener(type, hear);
  canvas.addEventListener("wheel", turn, { passive: false }); // so that the page can be kept from scrolling
}

/** Where a pointer is, in CSS pixels from the corner of an element: [x, y]. */
export function placeIn(node, { clientX, clientY }) {
  const { left, top } = node.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/** How many CSS pixels one is of what a wheel turned by. */
export const wheelUnit = ({ deltaMode }) => (deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);

/** The factor by which the turn of a wheel zooms. */
export function wheelFactor(event) {
  const pixels = Math.max(-WHEEL_PX, Math.min(WHEEL_PX, event.deltaY * wheelUnit(event)));
  // Pinching a touchpad arrives as small turns of a wheel with the control key.
  return Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002));
}
