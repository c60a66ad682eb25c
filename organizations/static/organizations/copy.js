// Copies the text of the element that a button names.
"use strict";

document.querySelectorAll("[data-copy]").forEach((button) => {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const said = document.getElementById("copied");
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "Copied.";
    } catch {
      // Without HTTPS browsers keep the clipboard closed: mark the text instead.
      getSelection().selectAllChildren(source);
      said.textContent = "Marked: copy it with Ctrl+C.";
    }
  });
});
