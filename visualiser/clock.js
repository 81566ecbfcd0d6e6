// The daemon's time. Its epochs are compared with its own clock, as told by the Date of its replies: the reader's may
// be minutes off, and "failed in 3 min" would be the first thing seen.

// Date has a resolution of one second and is as old as the reply was long in coming.
const TOLERANCE = 3;

let ahead = 0;

/** Takes note of a reply's Date header, or null. */
export function noteDate(header) {
  const difference = Date.parse(header) / 1000 - Date.now() / 1000;
  ahead = Math.abs(difference) > TOLERANCE ? difference : 0;
}

/** The daemon's time, epoch in seconds. */
export const now = () => Date.now() / 1000 + ahead;
