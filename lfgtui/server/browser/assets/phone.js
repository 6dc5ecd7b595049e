// A light page for a phone: the runs, a run's tickets, one ticket's answer as it streams, and the
// answers to what it asks. Of a run's events it reads text, calls, approvals and endings; the real
// screen is a page of its own.
import { signIn } from "./session.js";

const FOLLOWED = [
  "text_delta", "user_message", "attempt_started", "tool_call_requested", "tool_call_finished",
  "file_change", "approval_requested", "approval_given", "approval_denied", "approval_withdrawn", "retrying",
  "paused", "resumed", "ticket_queued", "ticket_done", "ticket_failed", "ticket_cancelled",
  "ticket_limited", "ticket_blocked", "ticket_interrupted",
];
const SHOWN_BY_DIFF = ["write_file", "edit_file"]; // lfg's own tools, whose diff says it all
const NO_SANDBOX = "without a sandbox";
const REFRESH = 3000; // milliseconds between looks at a list
const SHORT = 200; // characters of a call among the text
const NEW = 400; // milliseconds in which a tap is still for the question that was there before
const MOST_PARTS = 400; // pieces of an answer that are kept on the page

const ENDINGS = { ticket_done: "done", ticket_failed: "failed", ticket_cancelled: "cancelled", ticket_limited: "limit", ticket_blocked: "blocked", ticket_interrupted: "interrupted" };
const STATES = { done: "done", failed: "failed", needs_approval: "wait", paused: "wait", blocked: "wait", limit: "wait", interrupted: "wait" };

const content = document.getElementById("content");
const questions = document.getElementById("questions");
const notice = document.getElementById("notice");
let leave = () => {}; // stops what the shown view does

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) location.reload();
  const body = await answer.json().catch(() => ({})); // a proxy answers with a page of its own
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `HTTP ${answer.status}`), { status: answer.status });
  return body;
}

function head(title, back) {
  document.getElementById("title").textContent = title;
  document.title = `${title} - lfg`;
  const link = document.getElementById("back");
  link.hidden = back === null;
  link.href = `#/${back ?? ""}`;
}

function row(href, name, state, details, waiting = 0) {
  const [className, words] = waiting ? ["wait", "waiting for you"] : [STATES[state] ?? "busy", state.replace("_", " ")];
  const mark = element("span", { className, textContent: ` ${words}` });
  return element("a", { className: "row", href }, element("b", { textContent: name }), mark, element("small", { textContent: details }));
}

// A call's arguments as lines: text as it is, without the escapes of JSON.
function asText(given) {
  if (given === null || typeof given !== "object") return String(given);
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return lines.join("\n");
}

// True for an error that will not go away by itself; a proxy's own ones do, and a server's.
function isFinal(error) {
  return error.status >= 400 && error.status < 500;
}

// Looks again and again as long as the page is seen.
function repeat(look) {
  let isLeft = false;
  async function once() {
    if (isLeft) return;
    if (!document.hidden) {
      try {
        await look(() => isLeft);
        say("");
      } catch (error) {
        if (isFinal(error)) return say(error.message);
        say(`${error.message}; trying again…`);
      }
    }
    setTimeout(once, REFRESH);
  }
  once();
  return () => { isLeft = true; };
}

function showRuns() {
  head("lfg", null);
  return repeat(async (isLeft) => {
    const runs = await get("runs?limit=30");
    if (isLeft()) return;
    const stateOf = (run) => (run.state === "running" && !run.at_work ? "interrupted" : run.state);
    const rows = runs.map((run) => row(`#/${run.run}`, run.title, stateOf(run), `${run.done} of ${run.tickets} done · ${run.run}`, run.waiting));
    content.replaceChildren(...(rows.length ? rows : [element("p", { textContent: "No runs yet. To start one: lfg run tickets.toml" })]));
  });
}

function showRun(run) {
  head(run, "");
  return repeat(async (isLeft) => {
    const found = await get(`runs/${run}`);
    if (isLeft()) return;
    head(found.title, "");
    content.replaceChildren(...found.tickets.map((ticket) =>
      row(`#/${run}/${encodeURIComponent(ticket.id)}`, ticket.title || ticket.id, ticket.state, [ticket.id, ticket.provider, ticket.model].filter(Boolean).join(" · "))));
  });
}

// One ticket: its parts as they come, and the calls that wait for an answer.
function showTicket(run, ticket) {
  head(ticket, run);
  content.replaceChildren();
  const waiting = new Map(); // call id: its request
  const calls = new Map(); // call id: its element
  const changes = new Map(); // call id: the diffs of an agent's call, by their paths
  let said = null; // the text that grows
  let isAtEnd = true;
  let asked; // the id of the call that the buttons are for
  let askedAt = 0;

  function add(part) {
    said = null;
    content.append(part);
    while (content.childElementCount > MOST_PARTS) content.firstElementChild.remove();
    return part;
  }
  function note(text, className = "quiet") {
    add(element("p", { className, textContent: text }));
  }
  async function answer(command, buttons) {
    if (performance.now() - askedAt < NEW) return;
    for (const button of buttons) button.disabled = true;
    const sent = await fetch(`runs/${run}/commands`, { method: "POST", body: JSON.stringify(command) });
    if (sent.ok) return;
    for (const button of buttons) button.disabled = false;
    say((await sent.json()).error);
  }
  function ask() {
    const [call] = waiting.values();
    if (call?.call_id !== asked) {
      asked = call?.call_id;
      askedAt = performance.now();
    }
    if (!call) return questions.replaceChildren();
    const about = { ticket, call_id: call.call_id };
    const approve = element("button", { textContent: "Approve" });
    const deny = element("button", { textContent: "Deny", className: "deny" });
    const buttons = [approve, deny];
    approve.onclick = () => answer({ type: "Approve", ...about }, buttons);
    deny.onclick = () => answer({ type: "Deny", ...about }, buttons);
    const more = waiting.size > 1 ? ` (1 of ${waiting.size})` : "";
    const parts = [element("b", { className: "summary", textContent: `${call.summary}${more}` })];
    if (call.reason) parts.push(element("p", { className: "wait", textContent: call.reason }));
    if (call.sandbox) parts.push(element("p", { className: call.sandbox === NO_SANDBOX ? "wait" : "quiet", textContent: `runs ${call.sandbox}` }));
    const given = calls.get(call.call_id)?.dataset.given;
    const diffs = [...(changes.get(call.call_id) ?? [])].map(([path, diff]) => `${path}:\n${diff}`);
    if (call.diff && !diffs.length) diffs.push(call.diff);
    const shown = call.diff && SHOWN_BY_DIFF.includes(call.name) ? diffs : [given, ...diffs];
    const text = shown.filter(Boolean).join("\n\n");
    if (text) parts.push(element("pre", { textContent: text }));
    questions.replaceChildren(...parts, element("div", {}, ...buttons));
  }
  const take = {
    text_delta(entry) {
      said ??= add(element("div", { className: "said" }));
      said.append(entry.text);
    },
    user_message(entry) { add(element("div", { className: "asked", textContent: entry.text })); },
    attempt_started(entry) {
      waiting.clear();
      if (!entry.continues) { content.replaceChildren(); said = null; }
      note(`${entry.provider} · ${entry.model}`);
    },
    tool_call_requested(entry) {
      const given = asText(entry.arguments);
      const call = add(element("div", { className: "call" }, element("b", { textContent: `${entry.name} ` }), given.slice(0, SHORT)));
      call.dataset.given = given;
      calls.set(entry.call_id, call);
    },
    tool_call_finished(entry) {
      waiting.delete(entry.call_id);
      const failed = entry.error !== null || (entry.exit_code ?? 0) !== 0;
      const end = failed ? `failed${entry.error ? `: ${entry.error}` : ` (exit code ${entry.exit_code})`}` : "done";
      calls.get(entry.call_id)?.append(element("div", { className: failed ? "failed" : "done", textContent: end }));
    },
    file_change(entry) {
      if (!changes.has(entry.call_id)) changes.set(entry.call_id, new Map());
      changes.get(entry.call_id).set(entry.path, entry.diff);
    },
    approval_requested(entry) { waiting.set(entry.call_id, entry); },
    approval_given(entry) { waiting.delete(entry.call_id); },
    approval_denied(entry) { waiting.delete(entry.call_id); },
    approval_withdrawn(entry) { waiting.delete(entry.call_id); },
    retrying(entry) { note(`trying again in ${entry.delay.toFixed(0)} s: ${entry.reason}`, "wait"); },
    paused() { note("paused", "wait"); },
    resumed() { note("resumed"); },
    ticket_queued() {},
  };
  for (const [type, state] of Object.entries(ENDINGS)) {
    take[type] = (entry) => {
      waiting.clear();
      note([state, entry.message ?? entry.reason].filter(Boolean).join(": "), STATES[state] ?? "quiet");
    };
  }
  function show(entry) {
    take[entry.type](entry);
    ask();
    if (isAtEnd) scrollTo(0, document.body.scrollHeight);
  }
  onscroll = () => { isAtEnd = innerHeight + scrollY > document.body.scrollHeight - 80; };

  let source;
  let last = ""; // the id of the last event
  let isLeft = false;
  function follow() {
    const query = new URLSearchParams([["ticket", ticket], ...FOLLOWED.map((type) => ["type", type])]);
    if (last) query.set("after", last);
    source = new EventSource(`runs/${run}/events?${query}`);
    source.onopen = () => say("");
    source.onmessage = (message) => {
      last = message.lastEventId;
      if (message.data) show(JSON.parse(message.data));
    };
    source.onerror = lost;
    source.addEventListener("end", () => { source.close(); });
  }
  async function lost() {
    if (source.readyState === EventSource.CLOSED) { // refused, or there is no more to come
      try {
        if ((await get(`runs/${run}`)).state !== "running") return;
      } catch (error) {
        if (isFinal(error)) return say(error.message);
      }
      setTimeout(() => { if (!isLeft) follow(); }, REFRESH);
    }
    if (!isLeft) say("The connection is lost; trying again…");
  }
  async function begin() {
    try {
      const found = (await get(`runs/${run}`)).tickets.find((one) => one.id === ticket);
      if (isLeft) return;
      if (!found) return say(`This run has no ticket “${ticket}”.`);
      head(found.title || ticket, run);
    } catch (error) {
      if (isFinal(error)) return say(error.message);
    }
    follow();
  }
  begin();
  return () => {
    isLeft = true;
    source?.close();
    onscroll = null;
    questions.replaceChildren();
  };
}

function route() {
  leave();
  say("");
  const [run, ticket] = location.hash.slice(2).split("/").map(decodeURIComponent);
  document.getElementById("screen").href = run ? `screen?run=${run}` : "screen";
  content.replaceChildren();
  leave = ticket ? showTicket(run, ticket) : run ? showRun(run) : showRuns();
}

await signIn();
addEventListener("hashchange", route);
route();
