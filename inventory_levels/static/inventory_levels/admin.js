// Keeps the picture of a level true to what is typed, and bins inside the level's location.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const picture = document.getElementById("picture");
  if (picture) follow(picture);
  if (window.django?.jQuery) django.jQuery.ajaxPrefilter(withLocation);
  document.querySelectorAll(".workspace details, .files details").forEach(closeOutside);
  // The theme's script looks for its own markup around a file input, unless this says it did.
  document.querySelectorAll(".import input[type=file]").forEach((input) => (input.hasChangeListener = true));
  document.querySelectorAll("[data-busy]").forEach(sayBusy);
  // The theme's icons are words in a font of pictures: not to be read out.
  document.querySelectorAll(".material-symbols-outlined").forEach((icon) => {
    const around = icon.closest("a[href], button");
    const named = around?.title || around?.ariaLabel || around?.textContent.trim() !== icon.textContent.trim();
    if (around && !named) around.ariaLabel = "More";
    icon.setAttribute("aria-hidden", "true");
  });
  document.querySelector(".toolbar")?.addEventListener("formdata", withoutEmpty);
});

// Autocompletes are made when jQuery calls the page ready, and are nameless.
window.addEventListener("load", () => {
  window.django?.jQuery?.(() => {
    document.querySelectorAll("select.admin-autocomplete").forEach(nameAutocomplete);
  });
});

// The server draws, so that the first picture and each later one agree.
function follow(picture) {
  const form = picture.closest("form");
  let waiting, underWay;

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 200);
  });

  async function redraw() {
    underWay?.abort();
    underWay = new AbortController();
    const typed = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (/_(quantity|days)$/.test(name) && !name.startsWith("initial-")) typed.set(name, value);
    }
    try {
      const answer = await fetch(`${picture.dataset.address}?${typed}`, { signal: underWay.signal });
      if (answer.ok) picture.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }
}

// Tells the autocompletes of bin and source which location the level is at.
function withLocation(options) {
  const asked = new URL(options.url, location.href).searchParams;
  const sent = new URLSearchParams(typeof options.data === "string" ? options.data : "");
  const field = document.getElementById(`id_${sent.get("field_name") ?? asked.get("field_name")}`);
  if (!field || !/_location$/.test(field.id)) return;
  const at = field.dataset.location ?? document.getElementById("id_location")?.value ?? "";
  options.url += `${options.url.includes("?") ? "&" : "?"}location=${encodeURIComponent(at)}`;
}

function nameAutocomplete(select) {
  const label = document.querySelector(`label[for="${select.id}"]`);
  const shown = document.getElementById(`select2-${select.id}-container`);
  if (!label || !shown) return;
  const name = label.textContent.trim();
  label.id ||= `${select.id}_label`;
  shown.removeAttribute("role");
  shown.removeAttribute("aria-readonly");
  shown.closest("[role=combobox]").setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  django.jQuery(select).on("select2:open", () => {
    document.querySelector(".select2-search__field").setAttribute("aria-label", name);
  });
}

// Addresses that people share say only what was asked.
function withoutEmpty(event) {
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
}

function closeOutside(menu) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
}

// A long import shouldn't look like a button that did nothing, nor be asked for twice.
function sayBusy(button) {
  const words = button.textContent;
  window.addEventListener("pageshow", () => {
    button.textContent = words;
    button.disabled = false;
  });
  button.form.addEventListener("submit", (event) => {
    if (event.submitter !== button) return;
    setTimeout(() => {
      button.textContent = button.dataset.busy;
      button.disabled = true;
    });
  });
}
