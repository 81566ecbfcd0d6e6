// The part of time that is looked at: { from, to, live }, epochs in seconds. `live`: it ends now, and moves on. Pure
// functions: a window is never changed, another takes its place.

const LEAST = 0.5;
const MOST = 92 * 86400;
const USUAL = 3600;
// So much of a live window lies ahead of now, to see where bars end.
const AHEAD = 0.04;
// So much of a window is too near to its end for what only begins there.
const EDGE = 0.05;

const bounded = (span) => Math.max(LEAST, Math.min(MOST, span));

/** A window that ends now. */
export const following = (span, now) => ({
  from: now - bounded(span) * (1 - AHEAD),
  to: now + bounded(span) * AHEAD,
  live: true,
});

/** The window of an address, see view.js. */
export function windowOf({ span, from, to }, now) {
  const [start, end] = [Number(from || NaN), Number(to || NaN)];
  if (start < end && Number.isFinite(end - start))
    return { from: start, to: start + bounded(end - start), live: false };
  const wanted = Number(span);
  return following(wanted > 0 && Number.isFinite(wanted) ? wanted : USUAL, now);
}

/** The address of a window. */
export function addressOf({ from, to, live }) {
  const span = to - from;
  const digits = span < 60 ? 3 : 0;
  if (live) return { span: span === USUAL ? "" : Number(span.toFixed(digits)), from: "", to: "" };
  return { span: "", from: from.toFixed(digits), to: to.toFixed(digits) };
}

/** Whether an address is that of a window. */
export function isOf({ span, from, to }, window) {
  const own = addressOf(window);
  return String(own.span) === span && own.from === from && own.to === to;
}

/** Zooms by a factor (above 1: closer); what is at `at` stays where it is. What is live stays so. */
export function zoomed(window, factor, at, now) {
  const span = bounded((window.to - window.from) / factor);
  if (window.live && at > now - (window.to - window.from) * 0.02) return following(span, now);
  const share = (at - window.from) / (window.to - window.from);
  return landed({ from: at - share * span, to: at + (1 - share) * span }, now);
}

/** Moves by seconds; forward as far as now, which is then followed. */
export function moved({ from, to }, seconds, now) {
  if (seconds > 0 && to + seconds >= now) return following(to - from, now);
  return landed({ from: from + seconds, to: to + seconds }, now);
}

/** A window as it was asked for; what would lie beyond now follows it instead. */
export function landed({ from, to }, now) {
  const span = bounded(to - from);
  const end = now + span * AHEAD;
  return to >= end - 1e-6 ? following(span, now) : { from: to - span, to, live: false };
}

/** The window from which something that begins at a time can be seen; the same one if it can be already. */
export function showing(window, time, now) {
  const span = window.to - window.from;
  if (time >= window.from && time <= window.to - span * EDGE) return window;
  return landed({ from: time - span / 2, to: time + span / 2 }, now);
}

/** The same window a moment later. */
export const later = (window, now) => (window.live ? following(window.to - window.from, now) : window);
