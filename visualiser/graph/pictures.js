// The pictures that the worker paints, and when to ask for another. Painting ten thousand nodes takes a while; moving a
// picture of them does not, so panning and zooming never wait. A picture is larger than the stage; where it ends the
// overview stands in until the next one is there.

const MARGIN = 0.25; // of a picture, on each side, in stages
const SETTLE_MS = 70;

/** @param {function(string, Object)} ask  asks the worker for a picture of a view ("look"), or for the "overview" */
export function createPictures(ask) {
  const shots = { picture: null, overview: null };
  let edition = 0; // of scene and colours: a picture of an earlier one stands in until the next has come
  let asked = null;
  let timer = 0;
  let overviewTimer = 0;

  const isCurrent = ({ view }, camera, path) =>
    view.edition === edition && view.path === path && Math.abs(view.scale / camera.scale - 1) < 1e-6;

  function askNow(camera, stage, ratio, path) {
    if (asked) return;
    const { scale } = camera;
    asked = {
      x: camera.x - (MARGIN * stage.width) / scale,
      y: camera.y - (MARGIN * stage.height) / scale,
      scale,
      width: Math.ceil(stage.width * (1 + 2 * MARGIN)),
      height: Math.ceil(stage.height * (1 + 2 * MARGIN)),
      ratio,
      path,
      edition,
    };
    ask("look", { view: asked });
  }

  return {
    /** The whole drawing, small; null while there is none. */
    get overview() {
      return shots.overview?.bitmap;
    },
    /** What is painted differs from now on. */
    outdate() {
      edition += 1;
    },
    /** Nothing painted so far is of any use. */
    forget() {
      edition += 1;
      for (const name of Object.keys(shots)) {
        shots[name]?.bitmap.close();
        shots[name] = null;
      }
      asked = null;
    },
    /** Takes what the worker painted: "picture" or "overview". */
    take(name, bitmap, view) {
      shots[name]?.bitmap.close();
      shots[name] = { bitmap, view };
      if (name === "overview") return;
      asked = null;
      clearTimeout(overviewTimer);
      if (shots.overview?.view.edition !== edition) overviewTimer = setTimeout(ask, SETTLE_MS, "overview", { edition });
    },
    /**
     * Shows what there is, and asks for what is missing: at once where the picture ends or is outdated, else when
     * things have come to rest. `ratio`: device pixels to a CSS pixel. Returns whether that is all there is to see.
     */
    draw(context, camera, stage, ratio, path) {
      const { picture, overview } = shots;
      const enough = covers(picture, camera, stage);
      if (overview && !enough) place(context, overview, camera, ratio);
      if (picture) place(context, picture, camera, ratio);
      clearTimeout(timer);
      if (enough && isCurrent(picture, camera, path)) return asked === null;
      if (!enough || picture.view.edition !== edition) askNow(camera, stage, ratio, path);
      else timer = setTimeout(askNow, SETTLE_MS, camera, stage, ratio, path);
      return false;
    },
  };
}

function covers(shot, camera, stage) {
  if (shot === null) return false;
  const { x, y, scale, width, height } = shot.view;
  return (
    x <= camera.x &&
    y <= camera.y &&
    x + width / scale >= camera.x + stage.width / camera.scale &&
    y + height / scale >= camera.y + stage.height / camera.scale
  );
}

function place(context, { bitmap, view }, camera, ratio) {
  const factor = (camera.scale / view.scale) * ratio;
  const [left, top] = [(view.x - camera.x) * camera.scale * ratio, (view.y - camera.y) * camera.scale * ratio];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(bitmap, Math.round(left), Math.round(top), view.width * factor, view.height * factor);
}
