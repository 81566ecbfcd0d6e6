// What is asked of the daemon: calls, whose failures say in one sentence what a person should know, and lookups, which
// call again when the question or the world has changed; and what time it is there.

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

/**
 * @param {function(*, AbortSignal): Promise<*>} read  answers a question; aborted when another one comes between
 * @param {function()} changed  called when there is an answer, or word that there is none
 * @param {{keep: boolean}} options  keep: the answer to the last question stands until there is one to the next
 */
export function lookup(read, changed, { keep = false } = {}) {
  const state = {
    /** The answer, or null while there is none. */
    value: null,
    /** The question that `value` answers. */
    answered: null,
    /** Why the last attempt failed. @type {?Error} */
    error: null,
    /** Whether `value` is not the answer to the present question. */
    get stale() {
      return state.value !== null && state.answered !== asked?.question;
    },
    update,
    retry,
  };
  let asked = null;
  let underWay = null;
  let stop = new AbortController();

  /**
   * Asks, unless that was done already.
   * @param {*} question  JSON-able
   * @param {*} version  what the answer depends on besides: while both stay the same, so does the answer
   */
  function update(question, version) {
    const key = JSON.stringify(question);
    if (key === asked?.key && version === asked.version) return;
    if (key !== asked?.key && !keep) state.value = null;
    const same = key === asked?.key;
    asked = { key, question: same ? asked.question : question, version };
    // While the same question is under way, it is asked again after its end: never twice at a time.
    if (underWay?.key !== key) ask();
  }

  function ask() {
    stop.abort();
    stop = new AbortController();
    const attempt = (underWay = asked);
    const settle = (facts) => {
      if (attempt !== underWay) return; // overtaken by another question
      underWay = null;
      Object.assign(state, facts);
      if (asked.version !== attempt.version) ask();
      changed();
    };
    read(attempt.question, stop.signal).then(
      (value) => settle({ value, answered: attempt.question, error: null }),
      (error) => settle({ error }),
    );
  }

  function retry() {
    state.error = null;
    ask();
    changed();
  }

  return state;
}

// Date has a resolution of one second and is as old as the reply was long in coming.
const TOLERANCE = 3;

let ahead = 0;

/** Takes note of a reply's Date header, or null. */
export function noteDate(header) {
  const difference = Date.parse(header) / 1000 - Date.now() / 1000;
  ahead = Math.abs(difference) > TOLERANCE ? difference : 0;
}

/** The daemon's time, epoch in seconds. */
export const now = () => Date.now() / 1000 + ahead;
