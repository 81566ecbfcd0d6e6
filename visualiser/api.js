// Calls to the daemon: one function, whose failures say in one sentence what a person should know.

import { noteDate } from "./clock.js";

const TIME_LIMIT_MS = 60_000;

/** A call that failed. `status` is that of HTTP, or 0 when there was no answer. */
export class CallError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/**
 * Calls one of the daemon's methods.
 * @param {string} method  a name under /api/
 * @param {Object} args  its arguments, JSON-able
 * @param {AbortSignal=} signal  hangs up
 * @returns {Promise<*>} what the reply holds under "response"
 * @throws {CallError}
 */
export async function call(method, args = {}, signal = undefined) {
  const body = new URLSearchParams({ data: JSON.stringify(args) });
  return responseOf(await send(addressOf(method), { method: "POST", body }, signal));
}

/**
 * Asks what is asked by GET: the history.
 * @param {string} path  below /api/
 * @param {Object} fields  as for addressOf()
 * @returns {Promise<*>} as call() does
 * @throws {CallError}
 */
export async function ask(path, fields = {}, signal = undefined) {
  return responseOf(await send(addressOf(path, fields), {}, signal));
}

async function responseOf(reply) {
  noteDate(reply.headers.get("Date"));
  const body = await reply.json().catch(() => null);
  if (!reply.ok) throw new CallError(body?.error ?? `the daemon answered ${reply.status}`, reply.status);
  if (body?.response === undefined) throw new CallError("something other than the daemon answered", reply.status);
  return body.response;
}

async function send(address, request, signal) {
  const late = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    return await fetch(address, {
      ...request,
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
  } catch {
    throw new CallError(late.aborted ? `no answer within ${TIME_LIMIT_MS / 1000} s` : "the daemon cannot be reached");
  }
}

/**
 * Where something below /api/ is. Relative to this file, because proxies mount the daemon under a prefix; without the
 * user name and password that the page's own address may carry, because fetch() refuses those (the browser sends them
 * all the same).
 * @param {Object} fields  of the query; a list is as many fields, and what is empty or null is left out
 * @returns {URL}
 */
export function addressOf(path, fields = {}) {
  const url = new URL(`../../api/${path}`, import.meta.url);
  url.username = url.password = "";
  for (const [name, value] of Object.entries(fields)) {
    for (const each of [value].flat()) if (each !== "" && each !== null) url.searchParams.append(name, each);
  }
  return url;
}
