// Scales, ticks and bins of the charts.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  amountTicks,
  bins,
  durationTicks,
  linear,
  logarithmic,
  magnitudeTicks,
  nearest,
  quantile,
  timeTicks,
} from "../../visualiser/chart.js";
import { took } from "../../visualiser/format.js";

test("a scale takes its ends to its ends, and one without length everything to the first", () => {
  const scale = linear(10, 20, 100, 0);
  assert.deepEqual([10, 15, 20].map(scale), [100, 50, 0]);
  assert.equal(linear(5, 5, 3, 9)(5), 3);
});

test("by orders of magnitude each takes equal room, and nothing falls below the least", () => {
  const scale = logarithmic(1, 100, 0, 2);
  assert.ok(Math.abs(scale(10) - 1) < 1e-9);
  assert.equal(scale(0), 0);
});

test("ticks are round and within bounds", () => {
  assert.deepEqual(amountTicks(95, 4), [0, 50]);
  assert.deepEqual(amountTicks(1, 3), [0, 1]);
  assert.deepEqual(durationTicks(200, 5), [0, 60, 120, 180]);
  assert.deepEqual(magnitudeTicks(0.5, 90), [1, 10, 60]);
});

test("moments are round on the reader's clock, days from midnight to midnight", () => {
  const from = new Date(2026, 2, 28, 13, 7).getTime() / 1000;
  const hours = timeTicks(from, from + 5 * 3600, 5);
  assert.equal(hours.length, 5);
  for (const { at } of hours) assert.equal(new Date(at * 1000).getMinutes(), 0);
  const days = timeTicks(from, from + 5 * 86400, 5); // a day of 23 hours is among them in much of the world
  assert.equal(days.length, 5);
  for (const { at } of days) assert.equal(new Date(at * 1000).getHours(), 0);
});

test("the shortest and the longest time have ticks, few enough to be read", () => {
  for (const span of [0.05, 1, 60, 3600, 86400, 1e7, 3e8]) {
    const ticks = timeTicks(1.7e9 + 0.123, 1.7e9 + 0.123 + span, 8);
    assert.ok(ticks.length >= 1 && ticks.length <= 12, `${span} s: ${ticks.length}`);
  }
});

test("quantiles lie between values", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([7], 0.95), 7);
});

test("each value is in one class, the greatest in the last", () => {
  for (const byMagnitude of [false, true]) {
    const values = [0.001, 1, 2, 3, 50, 1000];
    const classes = bins(values, (value) => value, 5, byMagnitude);
    assert.deepEqual(
      classes.flatMap((each) => each.values).sort((a, b) => a - b),
      values,
    );
    assert.ok(classes.at(-1).values.includes(1000));
    for (const [n, each] of classes.entries()) if (n) assert.ok(Math.abs(each.from - classes[n - 1].to) < 1e-9);
  }
  assert.deepEqual(
    bins([4, 4], (value) => value, 5),
    [{ from: 4, to: 4, values: [4, 4] }],
  );
  assert.deepEqual(
    bins([], (value) => value, 5),
    [],
  );
});

test("the nearest is found within reach only", () => {
  const items = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
  ];
  assert.equal(nearest(items, 8, 1, 5), items[1]);
  assert.equal(nearest(items, 5, 50, 5), null);
});

test("short times are told to the millisecond", () => {
  assert.deepEqual([0.0421, 4.256, 10.9, 200].map(took), ["42.1 ms", "4.26 s", "10 s", "3 min 20 s"]);
});
