// The whole drawing as an SVG document, for keeping and sending.

import { DASHES, DETAIL_FONT, LOUD, TITLE_FONT, fitted, groupWords, trace } from "./drawing.js";
import { NODE_WIDTH, STATUS_NAMES, countsOf, nameOf } from "./common.js";

const MARGIN = 20;
const HALF = NODE_WIDTH / 2;

// What XML 1.0 does not allow at all, and what it takes for markup.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const plain = (words) => words.toWellFormed().replace(FORBIDDEN, "\ufffd");
const escaped = (words) => plain(words).replace(/[&<>"']/g, (each) => ENTITIES[each]);

/** @param scene  as for paint() @param palette  as for paint() @returns {string} */
export function svgOf(scene, palette) {
  const box = [-MARGIN, -MARGIN, scene.width + 2 * MARGIN, scene.height + 2 * MARGIN].map(rounded);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(" ")}" font-family="sans-serif">`;
  const ground = `<rect x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" fill="${palette.page}"/>`;
  const marker =
    '<defs><marker id="a" viewBox="0 0 7 7" refX="7" refY="3.5" markerWidth="7" markerHeight="7" orient="auto" ' +
    `markerUnits="userSpaceOnUse"><path d="M0 0L7 3.5L0 7z" fill="${palette.edge}"/></marker></defs>`;
  const edges = Array.from(scene.from, (_, e) => edgeMarkup(scene, e, palette));
  const nodes = Array.from(scene.task, (_, v) => nodeMarkup(scene, v, palette));
  return [head, marker, ground, ...edges, ...nodes, "</svg>"].join("\n");
}

const rounded = (n) => Math.round(n * 10) / 10;

// Takes what trace() would tell a canvas.
function pathRecorder() {
  const parts = [];
  const record =
    (letter) =>
    (...numbers) =>
      parts.push(letter + numbers.map(rounded).join(" "));
  return { moveTo: record("M"), lineTo: record("L"), bezierCurveTo: record("C"), data: () => parts.join("") };
}

function edgeMarkup(scene, e, palette) {
  const path = pathRecorder();
  trace(path, scene, e, 1);
  const colour = scene.cyclic[e] ? palette.tones.FAILED : scene.edgeOnPath[e] ? palette.chain : palette.edge;
  const style = scene.cyclic[e] ? ' stroke-dasharray="6 4"' : "";
  const end = scene.closing[e] && scene.from[e] !== scene.to[e] ? "start" : "end";
  const width = scene.edgeOnPath[e] ? 3 : 1.1;
  const line = `stroke="${colour}" stroke-width="${width}"${style} marker-${end}="url(#a)"`;
  return `<path d="${path.data()}" fill="none" ${line}/>`;
}

function nodeMarkup(scene, v, palette) {
  const { x, y, size, task, status, ids } = scene;
  const [left, top, height] = [x[v] - HALF, y[v] - size[v] / 2, size[v]];
  const name = STATUS_NAMES[status[v]];
  const tone = palette.tones[name];
  const isGroup = task[v] < 0;
  const [title, beside] = nameOf(scene, v);
  const detail = isGroup ? groupWords(countsOf(scene, v)) : beside;
  const dash = DASHES[name] ? ` stroke-dasharray="${DASHES[name].join(" ")}"` : "";
  const fill = LOUD.has(name)
    ? `<rect width="${NODE_WIDTH}" height="${height}" rx="7" fill="${tone}" fill-opacity="0.14"/>`
    : "";
  return [
    `<g transform="translate(${rounded(left)} ${rounded(top)})">`,
    `<title>${escaped(isGroup ? title : ids[task[v]])} (${name})</title>`,
    `<rect width="${NODE_WIDTH}" height="${height}" rx="7" fill="${palette.surface}" stroke="${tone}"${dash}/>${fill}`,
    `<path transform="translate(9 ${height / 2 - 8})" d="${palette.icons[name]}" fill="none" stroke="${tone}"/>`,
    words(title, TITLE_FONT, 34, height / 2 + (detail ? -3 : 4), palette.ink),
    detail ? words(detail, DETAIL_FONT, 34, height / 2 + 11, palette.muted) : "",
    "</g>",
  ].join("");
}

// Nobody measures the letters of a file: 6.6 px is what those of this size take up on average.
function words(content, font, x, y, colour) {
  const shown = fitted(content, NODE_WIDTH - 40, (part) => 6.6 * part.length);
  const style = `font:${font.split("px")[0]}px sans-serif`;
  return `<text x="${x}" y="${rounded(y)}" fill="${colour}" style="${style}">${escaped(shown)}</text>`;
}
