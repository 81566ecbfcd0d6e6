// The map in the corner: the whole drawing, small, and on it what is looked at. A click or a drag goes there.

import { el } from "../dom.js";

const WIDTH = 176;
const HEIGHT = 112;
const LEAST_FRAME = 4;

/** @param {function({x: number, y: number})} goTo  told the point of the scene to put in the middle */
export function createMap(goTo) {
  const node = el("canvas", { class: "graph-map", "aria-hidden": "true", width: WIDTH, height: HEIGHT, hidden: true });
  const context = node.getContext("2d");
  context.imageSmoothingQuality = "high";
  let [scale, left, top] = [1, 0, 0];

  function point(event) {
    if (!(event.buttons & 1)) return;
    const bounds = node.getBoundingClientRect();
    goTo({ x: (event.clientX - bounds.left - left) / scale, y: (event.clientY - bounds.top - top) / scale });
  }

  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    point(event);
  });
  node.addEventListener("pointermove", point);

  return {
    node,
    /** Shows a scene whose picture this is, and the part of it that camera and stage ({width, height}) show. */
    update(scene, bitmap, camera, stage, colour) {
      scale = Math.min(WIDTH / scene.width, HEIGHT / scene.height);
      [left, top] = [(WIDTH - scene.width * scale) / 2, (HEIGHT - scene.height * scale) / 2];
      context.clearRect(0, 0, WIDTH, HEIGHT);
      context.drawImage(bitmap, left, top, Math.max(1, scene.width * scale), Math.max(1, scene.height * scale));
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      const frame = [stage.width, stage.height].map((length) => Math.max(LEAST_FRAME, (length / camera.scale) * scale));
      context.strokeRect(left + camera.x * scale, top + camera.y * scale, ...frame);
    },
  };
}
