// The shop's own script: a basket that counts, and a button that opens the chat.
document.getElementById("snippet").textContent = `<script src="${new URL("widget.js", location.href)}" async></script>`;
let count = 0;
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-add]")) document.getElementById("count").textContent = String(++count);
  if (target.closest("[data-ask]")) window.Santral.open();
});
