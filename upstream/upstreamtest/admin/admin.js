"use strict";

// The parent of a framed page is told where its reader is.
if (document.body.hasAttribute("data-embedded") && window.parent !== window) {
  window.parent.postMessage(
    { type: "psa:navigate", pathname: location.pathname, search: location.search, title: document.title }, "*");
}

// The count of products follows what happens at the sales agent.
const live = new URL(document.body.dataset.live, location.href);
live.protocol = live.protocol.replace("http", "ws");
const socket = new WebSocket(live);
socket.addEventListener("message", (message) => {
  document.getElementById("live").textContent = JSON.parse(message.data).products;
});
