// The panel of what runs, renewed from /api/running while somebody looks at it. The page works without this.
"use strict";

(() => {
  const ASKED_AFTER_MS = 3_000;
  let state = null; // what /api/running answered last
  let behindMs = 0; // how far this clock is behind the server's

  const part = (name) => document.getElementById(`running-${name}`);
  const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const now = () => Date.now() + behindMs;

  // As the server writes times: 14:32 today, 24 Nov 14:32 on another day; all are UTC.
  function moment(at) {
    const [time, today] = [new Date(at).toUTCString(), new Date(now()).toUTCString()];
    const clock = time.slice(17, 22);
    return time.slice(0, 16) === today.slice(0, 16) ? clock : `${Number(time.slice(5, 7))} ${time.slice(8, 11)} ${clock}`;
  }

  function duration(ms) {
    const seconds = Math.max(Math.round(ms / 1000), 0);
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  }

  // What is the same stays as it is: a screen reader says only what changed.
  function say(element, words) {
    if (element && element.textContent !== words) element.textContent = words;
    if (element) element.hidden = !words;
  }

  function headline() {
    if (!state.is_running) return "Idle";
    if (state.sessions === null) return counted(state.at_work.length, "session");
    return `${state.ended.toLocaleString("en")} of ${counted(state.sessions, "session")}`;
  }

  function figures() {
    if (!state.is_running) return "";
    const end = state.ends_at ? [`ends at about ${moment(state.ends_at)}`] : [];
    const each = state.quota.map((one) => `${one.policy} ${one.left.toLocaleString("en")} of ${one.limit.toLocaleString("en")}`);
    const left = each.length ? [`left: ${each.join(", ")}`] : [];
    return [counted(state.requests, "request"), ...end, ...left].join(" · ");
  }

  function lineOf(session) {
    const line = document.createElement("li");
    const [pulse, link, event, words] = ["span", "a", "span", "span"].map((name) => document.createElement(name));
    pulse.className = "pulse";
    pulse.setAttribute("aria-hidden", "true");
    link.href = `/session/${encodeURIComponent(session.key)}`;
    event.className = "quiet";
    line.append(pulse, link, " ", event, document.createElement("br"), words);
    return line;
  }

  function showSessions() {
    const list = part("sessions");
    while (list.children.length > state.at_work.length) list.lastElementChild.remove();
    state.at_work.forEach((session, place) => {
      let line = list.children[place];
      if (!line || line.querySelector("a").textContent !== session.key) {
        const fresh = lineOf(session);
        if (line) line.replaceWith(fresh);
        else list.append(fresh);
        line = fresh;
      }
      const since = session.since ? `, for ${duration(now() - Date.parse(session.since))}` : "";
      say(line.querySelector("a"), session.key);
      say(line.querySelector(".quiet"), session.event);
      say(line.lastElementChild, session.words + since);
    });
  }

  function show() {
    if (!state || !part("headline")) return;
    const pause = state.paused_until && Date.parse(state.paused_until) > now() ? state.paused_until : null;
    say(part("headline"), headline());
    say(part("pause"), pause ? `Paused until ${moment(pause)}, for the quota, before ${state.paused_before}` : "");
    say(part("countdown"), pause ? `${duration(Date.parse(pause) - now())} to go` : "");
    say(part("idle"), state.is_running ? "" : "No session is being imported.");
    say(part("figures"), figures());
    showSessions();
  }

  async function ask() {
    if (document.hidden || !part("headline")) return;
    try {
      const answer = await fetch("/api/running", { cache: "no-store" });
      if (!answer.ok) return;
      state = await answer.json();
      behindMs = Date.parse(state.made_at) - Date.now();
      show();
    } catch {
      // What is shown stays; board.js marks the page as old when it cannot be renewed.
    }
  }

  setInterval(ask, ASKED_AFTER_MS);
  setInterval(show, 1_000);
  document.addEventListener("visibilitychange", ask);
})();
