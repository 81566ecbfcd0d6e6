// What may be asked of a scene: names, neighbours, and which node shows what.

import { amount, clip, counted } from "../format.js";
import { label } from "../task.js";
import { STATUS_NAMES, countsOf, nameOf, sizeOf } from "./common.js";

const TITLE_LENGTH = 1_000;

/** The arrays of the worker, with questions beside them. */
export function withQuestions(scene) {
  const { from, to, x, status, ids, families } = scene;

  const edgesOf = (v) => [...from.keys()].filter((e) => from[e] === v || to[e] === v);

  function others(v, here, there) {
    return edgesOf(v).flatMap((e) => (here[e] === v && there[e] !== v ? [there[e]] : []));
  }

  const questions = {
    edgesOf,
    needs: (v) => others(v, to, from),
    neededBy: (v) => others(v, from, to),
    /** The nodes of its rank. */
    column: (v) => [...x.keys()].filter((other) => Math.abs(x[other] - x[v]) < 1),
    isFamily: (v) => scene.task[v] < 0,
    familyOf: (v) => families[scene.family[v]],
    idOf: (v) => ids[scene.task[v]],
    /** The node that stands for a task, by its id; -1 if there is none. */
    nodeOfTask: (id) => scene.nodeOf[ids.indexOf(id)] ?? -1,
    nodeOfFamily: (name) => scene.family.indexOf(families.indexOf(name)),
    /** The nodes that stand for tasks of a status, by its number. */
    withStatus: (number) => [...status.keys()].filter((v) => countsOf(scene, v)[number]),
    /** One sentence about a node. */
    title(v) {
      const beside = questions.isFamily(v) ? counted(sizeOf(scene, v), "task") : "";
      const name = [...nameOf(scene, v), beside].filter((part) => part).join(" ");
      const needs = `needs ${amount(questions.needs(v).length)}`;
      const neededBy = `needed by ${amount(questions.neededBy(v).length)}`;
      return clip([name, label(STATUS_NAMES[scene.status[v]]), needs, neededBy].join(", "), TITLE_LENGTH);
    },
  };
  return Object.assign(scene, questions);
}

/** The node in `fresh` that shows what node v does in another scene; -1 if there is none. */
export function sameNode(scene, v, fresh) {
  return scene.isFamily(v) ? fresh.nodeOfFamily(scene.familyOf(v)) : fresh.nodeOfTask(scene.idOf(v));
}

/**
 * What matches words, all of which must occur in a task's id (or, where there are only families, in a family's name).
 * @returns {{matches: number, nodes: number[]}} how many tasks or families, and the nodes that show them
 */
export function matching({ whole, ids, families, nodeOf, family }, words) {
  const names = whole ? families : ids;
  const matches = names.flatMap((name, i) => (words.every((word) => name.toLowerCase().includes(word)) ? [i] : []));
  const nodes = matches.map((i) => (whole ? family.indexOf(i) : nodeOf[i]));
  return { matches: matches.length, nodes: [...new Set(nodes)] };
}

/** What the scene holds, in one line. */
export function sceneWords({ ids, count, from, grouped, total, complete, cyclic, whole }) {
  const tasks = whole ? total : ids.length;
  const cycles = cyclic.reduce((sum, each) => sum + each, 0);
  const most = total > tasks ? amount(total) : "many more";
  return [
    counted(tasks, "task"),
    grouped && count !== tasks && `shown as ${counted(count, "node")}`,
    counted(from.length, "edge"),
    cycles && `${counted(cycles, "edge closes", "edges close")} a cycle (dashed)`,
    !complete && `only the nearest of ${most}: fewer steps show all of them`,
  ]
    .filter((part) => part)
    .join(" · ");
}
