// The little that the pages cannot do without script: copy with feedback, modal dialogs, the menu on phones, and the
// browser's time zone. Nothing here is needed to read or to change anything.
"use strict";

document.documentElement.classList.add("scripted");

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes("time_zone=" + encodeURIComponent(zone))) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = "time_zone=" + encodeURIComponent(zone) + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
}

let toastTimer;
function announce(text) {
  const toast = document.querySelector("[data-toast]");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 4000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(document.body.dataset.copied);
  } catch {
    announce(document.body.dataset.notCopied);
  }
}

// <form data-copy-secret> asks for a secret and copies it without showing it. Sent as an ordinary form, without script
// or when the password must be given again first, it shows a page.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!("copySecret" in form.dataset) || !window.ClipboardItem) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form));
  fields.set("as", "text");
  const secret = fetch(form.action, { method: "POST", body: fields }).then(async (answer) => {
    if (answer.redirected || !answer.ok) throw new Error("not told");
    return new Blob([await answer.text()], { type: "text/plain" });
  });
  try {
    // Handed over as a promise: browsers forget the click that allows copying while a request is under way.
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": secret })]);
    announce(document.body.dataset.copied);
  } catch {
    form.submit();
  }
});

// <button data-copy="#id"> copies the value of that field.
// <button data-dialog="#id"> opens that dialog; <button data-close> closes the one it is in.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy) {
    const field = document.querySelector(button.dataset.copy);
    copy(field.value ?? field.textContent);
  } else if (button.dataset.dialog) {
    document.querySelector(button.dataset.dialog).showModal();
  } else if ("close" in button.dataset) {
    button.closest("dialog").close();
  } else if ("menu" in button.dataset) {
    const isOpen = document.getElementById("navigation").classList.toggle("open");
    button.setAttribute("aria-expanded", String(isOpen));
  }
});

// Under an open dialog nothing changes: what refreshes itself does so once somebody has decided.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (document.querySelector("dialog[open]")) event.detail.shouldSwap = false;
});

document.addEventListener("keydown", (event) => {
  const navigation = document.getElementById("navigation");
  if (event.key === "Escape" && navigation?.classList.contains("open")) {
    navigation.classList.remove("open");
    const button = document.querySelector("[data-menu]");
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }
});

// What a refreshed fragment says of its progress is told when it changes, and not at every refresh.
let progress;
document.addEventListener("htmx:afterSwap", () => {
  const status = document.querySelector("[data-status]")?.textContent;
  if (status && status !== progress) announce(status);
  progress = status;
});

document.addEventListener("DOMContentLoaded", () => {
  progress = document.querySelector("[data-status]")?.textContent;
  // Loading a page that shows a secret again must not ask for another one.
  if (document.querySelector("[data-secret]")) history.replaceState(null, "", "/settings/company");
  // What was just done is said once, not at every loading of the page.
  const address = new URL(location.href);
  const said = ["done", "confirmed"].filter((name) => address.searchParams.has(name));
  for (const name of said) address.searchParams.delete(name);
  if (said.length > 0) history.replaceState(null, "", address);
});
