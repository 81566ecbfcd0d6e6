// What cannot wait for the modules; a classic script, which runs before the page is first painted.

// Light or dark: what the person chose here, or else what the system says. A page that turns dark after it was painted
// light hurts the eye.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const CHOICES = ["system", "light", "dark"];

  function chosen() {
    try {
      return CHOICES.includes(localStorage.theme) ? localStorage.theme : "system";
    } catch {
      return "system"; // the browser may withhold the storage
    }
  }

  function apply() {
    const wanted = chosen();
    document.documentElement.dataset.theme = wanted === "system" ? (dark.matches ? "dark" : "light") : wanted;
    dispatchEvent(new Event("themechange"));
  }

  /** What app.js needs: the choice in force, and to take the next one of system, light and dark. */
  globalThis.theme = {
    chosen,
    next() {
      try {
        localStorage.theme = CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length];
      } catch {
        return; // without a storage the system decides
      }
      apply();
    },
  };

  dark.addEventListener("change", apply);
  addEventListener("storage", apply); // chosen in another tab
  apply();
})();

// The graph is the longest in coming: where the address asks for it, that begins before all else.
(() => {
  const code = new URL("graph/worker.js", document.currentScript.src);
  let begun = null;

  function begin() {
    const { hash } = location;
    const worker = new Worker(code, { type: "module", name: hash });
    // For those who listen later.
    const failed = new Promise((resolve) => worker.addEventListener("error", resolve, { once: true }));
    return { worker, failed, hash };
  }

  /** The worker of the graph, started once; it begins with what the address (`hash`) asked for then. */
  globalThis.graphWorker = () => (begun ??= begin());

  if (!/[#&]tab=graph(&|$)/.test(location.hash)) return;
  graphWorker();
  import(new URL("open.js", code)).catch(() => {}); // app.js is told the same
})();
