(() => {
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // Times, written in UTC, in the reader's zone and language.
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const now = new Date();
  all("time[datetime]", (time) => {
    const at = new Date(time.dateTime);
    if ("day" in time.dataset) {
      time.textContent = new Intl.DateTimeFormat([], { dateStyle: "medium" }).format(at);
      return;
    }
    const day = at.toDateString() === now.toDateString() ? {} : { day: "2-digit", month: "short" };
    const year = at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
    time.textContent = new Intl.DateTimeFormat([], { ...clock, ...day, ...year }).format(at);
  });

  const themes = ["system", "light", "dark"];
  all("[data-theme-next]", (button) => {
    const root = document.documentElement;
    const shown = () => (themes.includes(root.dataset.theme) ? root.dataset.theme : themes[0]);
    const word = button.querySelector("[data-theme-word]");
    word.textContent = shown();
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = themes[(themes.indexOf(shown()) + 1) % themes.length];
      word.textContent = shown();
      try {
        localStorage.theme = shown();
      } catch {}
    });
  });

  all("button[data-copy]", (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = button.dataset.copy.replaceAll("ORIGIN", location.origin);
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    });
  });
  all("[data-origin]", (text) => {
    text.textContent = text.textContent.replaceAll("ORIGIN", location.origin);
  });

  // The code of a setup link: out of the address at once, and sent by a click only.
  const take = () => {
    const code = document.querySelector("input[data-from-address]");
    const given = location.hash.slice(1);
    if (!code || !/^[0-9A-Za-z_-]+$/.test(given)) return;
    history.replaceState(null, "", location.pathname);
    code.value = given;
    all("[data-without-code]", (element) => (element.hidden = true));
  };
  take();
  // The link may be opened where the page is open already.
  addEventListener("hashchange", take);
})();
