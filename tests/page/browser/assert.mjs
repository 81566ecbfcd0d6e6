// What the tests use of node:assert/strict, for a browser.

function check(holds, message, ...values) {
  if (!holds) throw new Error([message, ...values.map((value) => JSON.stringify(value))].filter(Boolean).join(" "));
}

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map || a instanceof Set) return same([...a], [...b]);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

export default {
  ok: (value, message) => check(value, message ?? "not true:", value),
  equal: (a, b, message) => check(Object.is(a, b), message ?? "not equal:", a, b),
  notEqual: (a, b, message) => check(!Object.is(a, b), message ?? "equal:", a, b),
  deepEqual: (a, b, message) => check(same(a, b), message ?? "not deeply equal:", a, b),
  match: (text, pattern, message) => check(pattern.test(text), message ?? `no match of ${pattern}:`, text),
};
