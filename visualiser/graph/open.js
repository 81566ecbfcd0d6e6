// Opens the graph. All its code is asked for as soon as this is here: one file after the other would be several times
// the wait. What the worker needs goes before it, because that has the most to do.

const FETCHED = [
  "view",
  "../canvas",
  "camera",
  "common",
  "controls",
  "drawing",
  "marks",
  "minimap",
  "pictures",
  "pointers",
  "reader",
  "scene",
  "selection",
  "stage",
];

const sheet = fetchAhead("stylesheet", "graph.css");
for (const name of FETCHED) fetchAhead("modulepreload", `${name}.js`);

function fetchAhead(rel, name) {
  const link = document.createElement("link");
  Object.assign(link, { rel, fetchPriority: "low", href: new URL(name, import.meta.url).href });
  document.head.append(link);
  return link;
}

/** @param context  what app.js hands to every view @returns {Promise<Object>} the view, as graphView() makes it */
export async function openGraph(context) {
  const { graphView } = await import("./view.js");
  return graphView(context, graphWorker(), sheet);
}
