// What may be asked of a scene: names, neighbours, and which node shows what.

import { amount, clip, counted } from "../format.js";
import { label } from "../task.js";
import { STATUS_NAMES, countsOf, nameOf, sizeOf } from "./common.js";

const NAME_LENGTH = 80;
const TITLE_LENGTH = 1_000;

/** The arrays of the worker, with questions beside them. */
export function withQuestions(scene) {
  const { from, to, x, y, status, ids, families } = scene;

  const edgesOf = (v) => [...from.keys()].filter((e) => from[e] === v || to[e] === v);

  const column = (v) => [...x.keys()].filter((other) => Math.abs(x[other] - x[v]) < 1);

  function others(v, here, there) {
    return edgesOf(v).flatMap((e) => (here[e] === v && there[e] !== v ? [there[e]] : []));
  }

  const questions = {
    edgesOf,
    needs: (v) => others(v, to, from),
    neededBy: (v) => others(v, from, to),
    /** The nodes of its rank that are higher, and lower. */
    above: (v) => column(v).filter((other) => y[other] < y[v]),
    below: (v) => column(v).filter((other) => y[other] > y[v]),
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
 * Which node stays where it is on the screen when another scene takes the place of one: what is selected, else the task
 * asked for.
 * @returns {?{from: number, to: number}} that node there and here; null if there is none, or nothing in common
 */
export function anchorOf(scene, selected, fresh) {
  if (scene?.root !== fresh.root) return null;
  const from = selected < 0 && fresh.rooted ? scene.nodeOf[0] : selected;
  const to = from < 0 ? -1 : sameNode(scene, from, fresh);
  return to < 0 ? null : { from, to };
}

/** The one of some nodes that is nearest in height to node v; undefined if there is none. */
export function nearest({ y }, v, nodes) {
  const distance = (other) => Math.abs(y[other] - y[v]);
  return [...nodes].sort((a, b) => distance(a) - distance(b))[0];
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

/**
 * What a person looks for.
 * @returns {{nodes: number[], words: string}} the nodes that show it; and how many, empty for an empty question
 */
export function hitsOf(scene, find) {
  const wanted = find.toLowerCase().match(/\S+/g);
  if (!wanted) return { nodes: [], words: "" };
  const { matches, nodes } = matching(scene, wanted);
  const noun = scene.whole ? counted(matches, "family", "families") : counted(matches, "task");
  const places = nodes.length === matches ? "" : ` in ${counted(nodes.length, "node")}`;
  return { nodes, words: noun + places };
}

/** What is called so in the address: a task by its name, once that is known. */
export function headingOf(scene, id) {
  if (!id) return "All tasks";
  const isKnown = scene?.root === id && scene.ids.length;
  return clip(isKnown ? nameOf(scene, scene.nodeOf[0]).join(" ").trim() : id, NAME_LENGTH);
}

/** Why there is nothing to see; empty if there is something. */
export function stateWords(scene) {
  if (!scene) return "Reading the graph";
  if (scene.count) return "";
  return scene.root ? `The daemon does not know ${clip(scene.root, NAME_LENGTH)}, or no longer does.` : "No tasks yet.";
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
