// Conveniences only: every page works without this file.
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.textContent = `Copied ${button.dataset.copy}`;
    });
  });

  // the hosted page goes back to the lender by itself after a few seconds
  const back = document.querySelector("form[data-submit-after]");
  if (back) {
    const timer = setTimeout(() => back.submit(), Number(back.dataset.submitAfter) * 1000);
    back.addEventListener("submit", () => clearTimeout(timer));
  }

  const follow = document.querySelector("[data-follow]");
  if (follow) {
    const place = document.querySelector(follow.dataset.follow);
    let shown = null;
    setInterval(async () => {
      if (!follow.checked || document.hidden) return;
      const address = new URL(location.href);
      address.searchParams.set("part", "1");
      const reply = await fetch(address).catch(() => null);
      if (!reply || !reply.ok) return;
      const text = await reply.text();
      if (text !== shown && !place.contains(document.activeElement)) place.innerHTML = text;
      shown = text;
    }, 3000);
  }

  document.querySelector(".problem")?.focus();
})();
