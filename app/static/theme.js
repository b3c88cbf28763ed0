/* Runs before the first paint so that the page never flashes in the wrong theme. */
(function () {
  "use strict";
  var key = "spokehub-theme";
  var media = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    try {
      return window.localStorage.getItem(key);
    } catch (refused) {
      return null; // storage is off: follow the system
    }
  }
  function apply() {
    var choice = chosen();
    var theme = choice === "light" || choice === "dark" ? choice : media.matches ? "dark" : "light";
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.documentElement.setAttribute("data-theme-choice", choice || "auto");
    document.dispatchEvent(new CustomEvent("spokehub:theme", { detail: theme }));
  }
  window.spokehubTheme = {
    set: function (choice) {
      try {
        if (choice === "auto") window.localStorage.removeItem(key);
        else window.localStorage.setItem(key, choice);
      } catch (refused) {
        document.documentElement.setAttribute("data-bs-theme", choice);
      }
      apply();
    },
  };
  media.addEventListener("change", apply);
  apply();
})();
