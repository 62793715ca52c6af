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
    for (const t of document.querySelectorAll("time.ago, time.for, time.in")) {
      if (t.className === "for" && stale()) continue; // It may have changed since.
      const ms = now() - Date.parse(t.dateTime);
      let text = t.className === "for" ? span(ms) : t.className === "in" ? "in " + span(-ms) : span(ms) + " ago";
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
    byId("icon").href = parts.icon;
    // Screen readers announce each assignment.
    if (byId("live").textContent !== parts.live) byId("live").textContent = parts.live;
    tick();
  };

  const link = byId("link"), lost = byId("lost");
  let seen = Date.now(), source, retry, since;
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
    // A background tab shows only its title and icon.
    document.title = document.title.replace(/^.*? · /, "connection lost · ");
    byId("icon").href = byId("icon").href.replace(/%23[0-9a-f]{6}/, "%236b7280");
  };
  const connect = () => {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(location.pathname);
    source.onmessage = (e) => { live(); show(JSON.parse(e.data)); };
    source.addEventListener("heartbeat", live);
    source.onerror = () => {
      disconnected();
      source.close();
      retry = setTimeout(connect, 2000 + Math.random() * 2000);
    };
  };
  link.hidden = false;
  tick();
  setInterval(() => {
    tick();
    // A connection without events for three heartbeats is dead, even if the browser has not noticed.
    if (source && Date.now() - seen > 32000 && link.classList.contains("live")) { disconnected(); connect(); }
  }, 1000);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", connect);
})();
