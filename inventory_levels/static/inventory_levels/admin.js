// Keeps a level's picture and recommendation true to what is typed, and bins inside its location.
"use strict";

// Forms in which people type what takes them a while.
const EDITED = ".change-form #content-main form, #changelist-form, #planning-form";

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
  keepToken();
  document.querySelectorAll(EDITED).forEach(warnOfLoss);
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
    const others = box.form.querySelectorAll(`[name="${box.dataset.chooses}"]`);
    for (const other of others) other.checked = box.checked;
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
  const name = label?.textContent.trim() ?? select.ariaLabel;
  if (!name || !shown) return;
  shown.removeAttribute("role");
  shown.removeAttribute("aria-readonly");
  const box = shown.closest("[role=combobox]");
  if (label) {
    label.id ||= `${select.id}_label`;
    box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  } else {
    box.removeAttribute("aria-labelledby");
    box.setAttribute("aria-label", `${name}: ${shown.textContent.trim()}`);
  }
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

// Signing in again in another tab changes the token that forms are sent with. Nothing that was
// typed is lost for that, if it is the same person who signed in.
function keepToken() {
  const page = document.getElementById("page");
  let known = token();
  const renew = async (event) => {
    const form = event.target;
    const field = form.querySelector("[name=csrfmiddlewaretoken]");
    if (!page?.dataset.user || !field || token() === known) return;
    known = token();
    event.preventDefault();
    event.stopImmediatePropagation();
    try {
      const answer = await fetch(page.dataset.self);
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (now.getElementById("page")?.dataset.user === page.dataset.user) field.value = known;
    } finally {
      form.requestSubmit(event.submitter);
    }
  };
  document.addEventListener("submit", renew, true);
}

function token() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
}

// What was typed isn't lost by a click elsewhere, but by a yes.
function warnOfLoss(form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    // In the list, only this button saves the rows.
    sent = form.id !== "changelist-form" || event.submitter?.name === "_save";
  });
  window.addEventListener("pageshow", () => (sent = false));
  window.addEventListener("beforeunload", (event) => {
    if (!sent && [...form.elements].some(isEdited)) event.preventDefault();
  });
}

function isEdited(field) {
  if (!field.name || field.type === "hidden" || field.readOnly) return false;
  const shown = field.form.elements[`initial-${field.name}`];
  if (shown) return field.value !== shown.value;
  if (field.form.id === "changelist-form") return false; // boxes and actions
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type?.startsWith("select")) {
    const preset = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
    return field.value !== (preset?.value ?? "");
  }
  return "defaultValue" in field && field.value !== field.defaultValue;
}
