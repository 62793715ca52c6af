"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  // The server's clock counts: a browser's may be hours off.
  let skew = Date.parse(document.body.dataset.now) - Date.now();
  const now = () => Date.now() + skew;

  const span = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000));
    const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
    if (d) return d + " d " + h + " h";
    if (h) return h + " h " + m + " min";
    if (m) return m + " min " + (s % 60) + " s";
    return s + " s";
  };
  const stale = () => document.documentElement.classList.contains("stale");
  const tick = () => {
    for (const t of document.querySelectorAll("time.ago, time.for, time.span, time.in")) {
      const lasts = t.className === "for" || t.className === "span";
      if (lasts && stale()) continue; // It may have changed since.
      const ms = now() - Date.parse(t.dateTime);
      let text = lasts ? (t.className === "for" ? "for " : "") + span(ms) : t.className === "in" ? "in " + span(-ms) : span(ms) + " ago";
      if (t.className === "ago" && ms < 1500) text = "just now";
      if (t.className === "in" && ms >= 0) text = "now";
      if (t.textContent !== text) t.textContent = text;
      if (!t.title) t.title = t.dateTime;
    }
  };

  // update changes only the nodes of el that differ from html, so that focus, selection, scroll positions and open details stay.
  const update = (el, html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    reconcile(el, fresh.content);
  };
  const reconcile = (have, want) => {
    const nodes = [...want.childNodes];
    nodes.forEach((node, i) => {
      const old = have.childNodes[i];
      if (!old) have.append(node);
      else if (old.nodeName !== node.nodeName) old.replaceWith(node);
      else if (node.nodeType === Node.ELEMENT_NODE) {
        setAttributes(old, node);
        reconcile(old, node);
      } else if (old.data !== node.data) old.data = node.data;
    });
    while (have.childNodes.length > nodes.length) have.lastChild.remove();
  };
  const setAttributes = (old, node) => {
    for (const {name, value} of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const {name} of [...old.attributes]) if (name !== "open" && !node.hasAttribute(name)) old.removeAttribute(name);
  };
  const order = (ids) => {
    const list = byId("rows");
    const wanted = new Set(ids);
    for (const li of [...list.children]) if (!wanted.has(li.id)) li.remove();
    // A row that moves with moveBefore keeps the focus; not every browser has it.
    const put = (li, place) => li.isConnected && list.moveBefore ? list.moveBefore(li, place) : list.insertBefore(li, place);
    let place = list.firstElementChild;
    for (const id of ids) {
      let li = byId(id);
      if (!li) {
        li = document.createElement("li");
        li.id = id;
      }
      if (place && li === place.nextElementSibling) {
        put(place, null); // Moves one recovered row down instead of all others up.
        place = li;
      }
      if (li === place) place = place.nextElementSibling;
      else put(li, place);
    }
  };
  const show = (parts) => {
    skew = Date.parse(parts.now) - Date.now();
    order(parts.rows);
    for (const [id, html] of Object.entries(parts.html)) {
      const el = byId(id);
      if (el) update(el, html);
    }
    document.documentElement.classList.remove("m-healthy", "m-warning", "m-critical", "m-unknown", "m-away");
    document.documentElement.classList.add("m-" + parts.severity);
    document.title = parts.title;
    byId("icon").href = "?file=" + parts.severity + ".svg";
    // Screen readers announce each assignment.
    if (byId("live").textContent !== parts.live) byId("live").textContent = parts.live;
    tick();
  };

  const link = byId("link"), lost = byId("lost");
  let seen = Date.now(), source, timer, since;
  const live = () => {
    seen = Date.now();
    since = undefined;
    link.className = "link live";
    byId("linktext").textContent = "live";
    lost.hidden = true;
    document.documentElement.classList.remove("stale");
  };
  const disconnected = () => {
    since ??= new Date(seen).toLocaleTimeString();
    const text = "Connection lost. This is the state of " + since + ". Trying again …";
    link.className = "link lost";
    byId("linktext").textContent = "connection lost";
    if (lost.textContent !== text) lost.textContent = text;
    lost.hidden = false;
    document.documentElement.classList.add("stale");
    // A background tab shows only its title and icon. No file can be loaded now.
    document.title = document.title.replace(/^.*? · /, "connection lost · ");
    byId("icon").href = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%236b7280'/%3E%3C/svg%3E";
  };

  // A browser has six HTTP/1.1 connections for a host: of all pages of this origin, one in front has an event stream, and the
  // others poll. So does a page whose stream fails or ends at once, as behind a proxy or middleware that buffers, for a minute.
  let pollUntil = 0, streaming = false;
  const others = new BroadcastChannel("vitals");
  const stop = () => { clearTimeout(timer); source?.close(); };
  const after = (ms, f) => { clearTimeout(timer); timer = setTimeout(f, ms); };
  const connect = () => {
    stop();
    streaming = !document.hidden && Date.now() >= pollUntil;
    const began = Date.now();
    let answered = false;
    const failed = () => {
      stop();
      if (!streaming) {
        disconnected();
        after(2000 + Math.random() * 2000, connect);
        return;
      }
      // The end of a stream is no failure: only a poll without an answer is.
      if (Date.now() - began < 5000 || !answered) pollUntil = Date.now() + 60000;
      after(answered ? 1000 : 0, connect);
    };
    source = new EventSource(location.pathname + (streaming ? "" : "?once"));
    after(8000, failed);
    const proof = () => {
      answered = true;
      live();
      after(32000, failed); // A stream without events for three heartbeats is dead, even if the browser has not noticed.
    };
    source.onmessage = (e) => {
      proof();
      if (!streaming) {
        stop();
        after(document.hidden ? 30000 : 5000, connect);
      }
      show(JSON.parse(e.data));
    };
    source.addEventListener("heartbeat", proof);
    source.onerror = failed;
  };
  const front = () => {
    if (!document.hidden && streaming) return;
    if (!document.hidden) {
      if (pollUntil === Infinity) pollUntil = 0;
      others.postMessage("in front");
    }
    connect();
  };
  others.onmessage = () => {
    pollUntil = Infinity;
    if (streaming) connect();
  };
  byId("still").hidden = true;
  link.hidden = false;
  tick();
  setInterval(tick, 1000);
  for (const type of ["pageshow", "focus"]) addEventListener(type, front);
  document.addEventListener("visibilitychange", front);
  addEventListener("pagehide", () => { stop(); streaming = false; });
})();
