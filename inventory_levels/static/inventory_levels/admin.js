// Keeps a level's picture and recommendation true to what is typed, and bins inside its location.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-follows]").forEach(follow);
  document.getElementById("use-recommended")?.addEventListener("click", useRecommended);
  document.querySelectorAll("[data-chooses]").forEach(chooseAll);
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

// The server draws and reckons, so that what is shown first and each time later agree.
function follow(part) {
  const form = part.closest("form");
  let waiting, underWay;
  if (matchMedia("(max-width: 1279px)").matches) fold(part, false);

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 200);
  });

  async function redraw() {
    underWay?.abort();
    underWay = new AbortController();
    const typed = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (/^(?!initial-).*_(quantity|days)$|^(status|abc_class)$/.test(name)) typed.set(name, value);
    }
    try {
      const answer = await fetch(`${part.dataset.follows}?${typed}`, { signal: underWay.signal });
      if (!answer.ok) return;
      const open = part.querySelector("details")?.open ?? true;
      part.innerHTML = await answer.text();
      fold(part, open);
      offerRecommended();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }
}

function fold(part, open) {
  const details = part.querySelector("details");
  if (details) details.open = open;
}

function recommended() {
  return [...document.querySelectorAll("[data-fills]")].map((shown) => [
    document.getElementById(`id_${shown.dataset.fills}`),
    shown.textContent,
  ]);
}

function offerRecommended() {
  const button = document.getElementById("use-recommended");
  if (button) button.hidden = recommended().every(([field, text]) => field.value === text);
}

// Nothing is saved by it: the fields are filled in as if they had been typed.
function useRecommended() {
  const fields = recommended();
  for (const [field, text] of fields) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  fields[0][0].focus();
}

// One box that ticks all others of its form.
function chooseAll(box) {
  box.addEventListener("change", () => {
    for (const other of box.form.elements[box.dataset.chooses]) other.checked = box.checked;
  });
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
