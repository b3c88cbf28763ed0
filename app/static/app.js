/* What every page does in the browser: times in the reader's zone, forms sent once, what failed said aloud. */
(function () {
  "use strict";

  var units = [
    ["year", 31536000],
    ["month", 2592000],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ];
  var relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  var formats = {
    datetime: new Intl.DateTimeFormat("en-GB", {
      day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    }),
    time: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  };

  function ago(date) {
    var seconds = (date.getTime() - Date.now()) / 1000;
    if (Math.abs(seconds) < 5) return "just now";
    for (var i = 0; i < units.length; i += 1) {
      if (Math.abs(seconds) >= units[i][1]) {
        return relative.format(Math.trunc(seconds / units[i][1]), units[i][0]);
      }
    }
    return "just now";
  }

  function elapsed(seconds) {
    if (seconds < 60) return Math.max(0, seconds).toFixed(0) + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min " + Math.floor(seconds % 60) + " s";
    return Math.floor(seconds / 3600) + " h " + Math.floor((seconds % 3600) / 60) + " min";
  }

  function showTime(node) {
    var date = new Date(node.getAttribute("datetime"));
    if (Number.isNaN(date.getTime())) return;
    var style = node.getAttribute("data-time") || "datetime";
    var text;
    if (style === "relative") text = ago(date);
    else if (style === "elapsed") text = elapsed((Date.now() - date.getTime()) / 1000);
    else text = formats[style].format(date);
    if (node.textContent !== text) node.textContent = text;
  }

  function each(root, selector, action) {
    if (root.matches && root.matches(selector)) action(root);
    root.querySelectorAll(selector).forEach(action);
  }

  function refreshTimes() {
    each(document, "time[data-time]", showTime);
  }

  function followLog() {
    each(document, "[data-follow]", function (box) {
      if (box.dataset.held !== "true") box.scrollTop = box.scrollHeight;
    });
  }

  function prepare() {
    refreshTimes();
    followLog();
    each(document, "[data-connection-lost]", function (bar) {
      bar.hidden = true;
    });
  }

  function cellValue(row, index) {
    var cell = row.cells[index];
    if (!cell) return "";
    var value = cell.getAttribute("data-value");
    return value === null ? cell.textContent.trim() : value;
  }

  function sortBy(header) {
    var table = header.closest("table");
    var body = table.tBodies[0];
    var index = Array.prototype.indexOf.call(header.parentNode.cells, header);
    var down = header.getAttribute("aria-sort") === "ascending";
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (a, b) {
      var x = cellValue(a, index);
      var y = cellValue(b, index);
      var order = x !== "" && y !== "" && !Number.isNaN(Number(x)) && !Number.isNaN(Number(y))
        ? Number(x) - Number(y)
        : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    });
    each(header.parentNode, "th[aria-sort]", function (other) {
      other.removeAttribute("aria-sort");
    });
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.forEach(function (row) {
      body.appendChild(row);
    });
  }

  document.addEventListener("click", function (event) {
    var theme = event.target.closest("[data-set-theme]");
    if (theme) window.spokehubTheme.set(theme.getAttribute("data-set-theme"));
    var sorter = event.target.closest("[data-sort]");
    if (sorter) sortBy(sorter.closest("th"));
    var copier = event.target.closest("[data-copy]");
    if (copier && navigator.clipboard) {
      navigator.clipboard.writeText(document.getElementById(copier.getAttribute("data-copy")).textContent);
      copier.setAttribute("data-copied", "");
    }
  });

  document.addEventListener("scroll", function (event) {
    var box = event.target;
    if (box.hasAttribute && box.hasAttribute("data-follow")) {
      box.dataset.held = box.scrollTop + box.clientHeight < box.scrollHeight - 24 ? "true" : "false";
    }
  }, true);

  document.addEventListener("submit", function (event) {
    if (event.target.hasAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    if (event.target.method === "post") {
      event.target.setAttribute("data-sent", "");
      each(event.target, "button[type=submit]", function (button) {
        button.classList.add("btn-loading");
      });
    }
  });

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  /* The name typed again opens the dangerous button; the server checks it as well. */
  function openConfirmed(field) {
    var button = field.form.querySelector("[data-confirm-button]");
    button.disabled = field.value !== field.getAttribute("data-confirm-word");
  }

  document.addEventListener("input", function (event) {
    if (event.target.hasAttribute("data-confirm-word")) openConfirmed(event.target);
  });

  /* A page that comes back, from the browser's cache or by a reload, shows what its address says and not what was
     chosen or typed in it before; and its forms may be sent again. */
  window.addEventListener("pageshow", function (event) {
    var arrived = performance.getEntriesByType("navigation")[0];
    var back = event.persisted || (arrived && arrived.type !== "navigate");
    each(document, "form", function (form) {
      if (back) form.reset();
      form.removeAttribute("data-sent");
      each(form, ".btn-loading", function (button) {
        button.classList.remove("btn-loading");
      });
    });
    each(document, "[data-confirm-word]", openConfirmed);
  });

  /* What was running has ended: the mark in the top bar need not wait, and there may be a spoke more. */
  function settled() {
    var live = document.getElementById("live");
    var polls = Boolean(live && live.hasAttribute("hx-get"));
    if (document.body.dataset.polls === "true" && !polls && window.htmx) {
      window.htmx.trigger("#running", "settled");
      window.htmx.trigger("#nav", "settled");
    }
    document.body.dataset.polls = String(polls);
  }

  /* What was chosen is marked, and its answer brought into view when it came below the fold. */
  document.addEventListener("click", function (event) {
    var chosen = event.target.closest("a[data-entity]");
    if (!chosen) return;
    each(chosen.closest("tbody"), "tr.chosen", function (row) {
      row.classList.remove("chosen");
    });
    chosen.closest("tr").classList.add("chosen");
    document.body.dataset.show = "true";
  });

  function showAnswer() {
    if (document.body.dataset.show !== "true") return;
    delete document.body.dataset.show;
    each(document, "[data-show]", function (box) {
      var still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      box.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    });
  }

  document.addEventListener("htmx:after:swap", prepare);
  document.addEventListener("htmx:after:swap", settled);
  document.addEventListener("htmx:after:swap", function (event) {
    var target = event.detail && event.detail.ctx && event.detail.ctx.target;
    if (!target || target.id !== "running") showAnswer();
  });
  document.addEventListener("htmx:error", function () {
    each(document, "[data-connection-lost]", function (bar) {
      bar.hidden = false;
    });
  });

  /* On a narrow screen tabs scroll: the open one is in view. */
  each(document, ".tabs .active, .filters .active", function (tab) {
    var bar = tab.parentNode.getBoundingClientRect(), own = tab.getBoundingClientRect();
    tab.parentNode.scrollLeft += own.left - bar.left - (bar.width - own.width) / 2;
  });

  prepare();
  settled();
  window.setInterval(refreshTimes, 1000);
})();
