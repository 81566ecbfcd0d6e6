// Opens the graph. The worker starts, and all code is asked for, at once: to start a worker takes as long as to fetch
// the rest, and one after the other would be twice the wait.

const FETCHED = [
  "camera",
  "controls",
  "drawing",
  "marks",
  "minimap",
  "names",
  "nodes",
  "pictures",
  "pointers",
  "reader",
];

/** @param context  what app.js hands to every view @returns {Promise<Object>} the view, as graphView() makes it */
export async function openGraph(context) {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  // For those who listen later.
  const failed = new Promise((resolve) => worker.addEventListener("error", resolve, { once: true }));
  for (const name of [...FETCHED, "scene", "stage"]) preload(new URL(`${name}.js`, import.meta.url).href);
  const { graphView } = await import("./view.js");
  return graphView(context, worker, failed);
}

function preload(href) {
  const link = document.createElement("link");
  document.head.append(Object.assign(link, { rel: "modulepreload", href }));
}
