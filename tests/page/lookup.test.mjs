// Questions to the daemon: asked once, asked again when the world has changed, and never answered with another's answer.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { lookup } from "../../visualiser/api.js";

let questions = [];
let changes = 0;

beforeEach(() => {
  questions = [];
  changes = 0;
});

function read(question, signal) {
  return new Promise((resolve, reject) => {
    questions.push({ question, resolve, reject });
    signal.addEventListener("abort", () => reject(new Error("hung up")));
  });
}

const facts = (options) => lookup(read, () => (changes += 1), options);

async function settle(place, how, value) {
  questions[place][how](value);
  await new Promise((resolve) => setTimeout(resolve));
}

test("the same question is asked once", async () => {
  const found = facts();
  for (let n = 0; n < 3; n += 1) found.update({ id: "a" }, 1);
  await settle(0, "resolve", "answer");
  found.update({ id: "a" }, 1);
  assert.deepEqual([questions.length, found.value, changes], [1, "answer", 1]);
});

test("a new version asks again, with the old answer standing, and never two at a time", async () => {
  const found = facts();
  found.update("a", 1);
  await settle(0, "resolve", "old");
  found.update("a", 2);
  found.update("a", 3);
  assert.deepEqual([questions.length, found.value], [2, "old"]);
  await settle(1, "resolve", "newer");
  assert.deepEqual([questions.length, found.value], [3, "newer"]);
  await settle(2, "resolve", "newest");
  assert.deepEqual([questions.length, found.value, found.error], [3, "newest", null]);
});

test("an answer to a question that was overtaken is dropped", async () => {
  const found = facts();
  found.update("a", 1);
  found.update("b", 1);
  await settle(0, "resolve", "of a");
  assert.equal(found.value, null);
  await settle(1, "resolve", "of b");
  assert.equal(found.value, "of b");
});

test("the last answer stands in for the next one only where that is wanted", async () => {
  for (const keep of [true, false]) {
    questions = [];
    const found = facts({ keep });
    found.update("a", 1);
    await settle(0, "resolve", "of a");
    assert.equal(found.stale, false);
    found.update("b", 1);
    assert.deepEqual([found.value, found.stale], keep ? ["of a", true] : [null, false]);
  }
});

test("a failure is told, keeps the last answer, and can be tried again", async () => {
  const found = facts();
  found.update("a", 1);
  await settle(0, "resolve", "good");
  found.update("a", 2);
  await settle(1, "reject", new Error("broken"));
  assert.deepEqual([found.error.message, found.value], ["broken", "good"]);
  found.retry();
  assert.equal(found.error, null);
  await settle(2, "resolve", "better");
  assert.deepEqual([found.value, changes], ["better", 4]);
});
