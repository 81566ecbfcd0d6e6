// Where things are on the timeline's stage, in CSS pixels from its corner. Plain functions of a scene:
//
//   size      { width, height, labels }: of the stage, and so much of its width has the names of the lanes
//   view      the window one looks through, see window.js
//   lanes     below each other, see stacked()
//   scrolled  how far the lanes have been scrolled
//   now       epoch in seconds

/** The height of the times above the lanes; of a row of a lane, and of a bar in it; and what is above the first row. */
export const AXIS = 26;
export const ROW = 18;
export const BAR = 14;
export const PADDING = 8;

const LEAST_LANE = 40;
const REACH_PX = 5;
const LEAST_BAR = 1.5;
const BEYOND = 4; // what goes on outside is drawn so far, and clipped

/** CSS pixels to a second. */
export const scaleOf = ({ size, view }) => (size.width - size.labels) / (view.to - view.from);

export const xOf = (scene, time) => scene.size.labels + (time - scene.view.from) * scaleOf(scene);
export const timeAt = (scene, x) => scene.view.from + (x - scene.size.labels) / scaleOf(scene);

/** Lanes (see lanesOf() of rows.js) with where each is below the first one's top, and how high. */
export function stacked(lanes) {
  let below = 0;
  return lanes.map((lane) => {
    const [top, height] = [below, Math.max(LEAST_LANE, lane.rows * ROW + 2 * PADDING - (ROW - BAR))];
    below += height;
    return { ...lane, top, height };
  });
}

/** How high the stage would be with all of the lanes in sight. */
export function fullHeight(lanes) {
  const { top, height } = lanes.at(-1) ?? { top: 0, height: 0 };
  return AXIS + top + height;
}

export const topOf = ({ scrolled }, lane) => lane.top - scrolled + AXIS;

export const lanesInSight = ({ lanes, scrolled, size }) =>
  lanes.filter(({ top, height }) => top + height > scrolled && top < scrolled + size.height - AXIS);

/** Where a run is drawn, which is in sight and in this lane. */
export function barOf(scene, lane, { start, end, row }) {
  const left = Math.max(scene.size.labels - BEYOND, xOf(scene, start));
  const right = Math.min(scene.size.width + BEYOND, Math.max(xOf(scene, end ?? scene.now), left + LEAST_BAR));
  return { left, right, top: topOf(scene, lane) + PADDING + row * ROW };
}

/** The run at a point, or within a finger's reach of it; null if there is none. */
export function runAt(scene, x, y) {
  if (x < scene.size.labels || y < AXIS) return null;
  const lane = scene.lanes.find((each) => topOf(scene, each) <= y && topOf(scene, each) + each.height > y);
  if (!lane) return null;
  const row = Math.floor((y - topOf(scene, lane) - PADDING) / ROW);
  let [best, least] = [null, REACH_PX];
  for (const run of lane.runs) {
    if (run.row !== row) continue;
    const left = xOf(scene, run.start);
    const away = Math.max(left - x, x - Math.max(xOf(scene, run.end ?? scene.now), left), 0);
    if (away <= least) [best, least] = [run, away];
  }
  return best;
}

/** How far to scroll to see a run; null where it can be seen, or is in no lane. */
export function scrollTo({ lanes, scrolled, size }, run) {
  const lane = lanes.find(({ runs }) => runs.includes(run));
  if (!lane) return null;
  const y = lane.top + PADDING + run.row * ROW;
  const isInSight = y >= scrolled && y + ROW <= scrolled + size.height - AXIS;
  return isInSight ? null : y - size.height / 2;
}
