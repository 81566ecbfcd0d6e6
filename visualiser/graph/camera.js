// Which part of the drawing is looked at: { x, y } is the scene's point in the corner of the stage, `scale` the zoom.
// Pure functions: a camera is never changed, another takes its place.

const LARGEST = 2.5;
const MARGIN = 24;

// Zooms at which names can be read with ease, and at all; one below which the whole drawing is no help to begin with;
// and one below which a small drawing is none, because a part of it would tell more.
const READABLE = 0.8;
const LEGIBLE = 0.6;
const TOO_FAR = 0.02;
const TOO_SMALL = 0.3;
const FEW = 60;

/** The camera that shows all of the scene. */
export function fitting(scene, stage) {
  const scale = Math.min(
    1,
    (stage.width - 2 * MARGIN) / Math.max(1, scene.width),
    (stage.height - 2 * MARGIN) / Math.max(1, scene.height),
  );
  return centred({ x: scene.width / 2, y: scene.height / 2 }, Math.max(scale, 1e-4), stage);
}

/** The camera to begin with: all, or where that would be too small what is around one node. */
export function opening(scene, stage, node) {
  const all = fitting(scene, stage);
  if (all.scale >= (scene.count > FEW ? TOO_FAR : TOO_SMALL) || node < 0) return all;
  const inwards = scene.x[node] > scene.width / 2 ? -1 : 1;
  return centred({ x: scene.x[node] + (inwards * stage.width) / 4 / LEGIBLE, y: scene.y[node] }, LEGIBLE, stage);
}

/** The camera with a point of the scene in the middle of the stage. */
export const centred = ({ x, y }, scale, stage) => ({
  x: x - stage.width / scale / 2,
  y: y - stage.height / scale / 2,
  scale,
});

/** Zooms by a factor; the point of the stage at (px, py) stays where it is. */
export function zoomed(camera, factor, px, py, least) {
  const scale = Math.max(least, Math.min(LARGEST, camera.scale * factor));
  return { x: camera.x + px / camera.scale - px / scale, y: camera.y + py / camera.scale - py / scale, scale };
}

/** Moves by CSS pixels. */
export const panned = (camera, dx, dy) => ({
  ...camera,
  x: camera.x - dx / camera.scale,
  y: camera.y - dy / camera.scale,
});

/** The camera from which a node can be seen, and read; the same one if it can be already. */
export function seeing(camera, scene, node, stage) {
  const [px, py] = [(scene.x[node] - camera.x) * camera.scale, (scene.y[node] - camera.y) * camera.scale];
  const [across, down] = [Math.min(110, stage.width / 3), Math.min(50, stage.height / 3)];
  const inside = px >= across && px <= stage.width - across && py >= down && py <= stage.height - down;
  if (inside && camera.scale >= READABLE / 2) return camera;
  return centred({ x: scene.x[node], y: scene.y[node] }, Math.max(camera.scale, READABLE), stage);
}

/** The camera a part of the way from one to another, for gliding. */
export function between(a, b, part) {
  const scale = a.scale * (b.scale / a.scale) ** part;
  // Points move evenly over the stage when the corner moves with the inverse of the scale.
  const share = a.scale === b.scale ? part : (1 / a.scale - 1 / scale) / (1 / a.scale - 1 / b.scale);
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, scale };
}
