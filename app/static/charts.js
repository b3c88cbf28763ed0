/* Draws each figure that the page carries as JSON, and draws it again when the theme, the width or the data changes. */
(function () {
  "use strict";

  var tokens = {
    accent: "--sh-accent", text: "--tblr-body-color", muted: "--tblr-secondary",
    grid: "--tblr-border-color", surface: "--tblr-bg-surface", good: "--tblr-green", bad: "--tblr-red",
    warn: "--tblr-orange", calm: "--tblr-azure", faint: "--sh-faint",
  };
  var palette = {};

  /* Plotly reads rgb only: an element resolves the variable, a canvas turns any colour the browser knows into rgb. */
  function readPalette() {
    var probe = document.createElement("span");
    probe.hidden = true;
    document.body.appendChild(probe);
    var context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    Object.keys(tokens).forEach(function (name) {
      probe.style.color = "var(" + tokens[name] + ")";
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = getComputedStyle(probe).color;
      context.fillRect(0, 0, 1, 1);
      var p = context.getImageData(0, 0, 1, 1).data;
      palette["$" + name] = p[3] === 255
        ? "rgb(" + p[0] + "," + p[1] + "," + p[2] + ")"
        : "rgba(" + p[0] + "," + p[1] + "," + p[2] + "," + (p[3] / 255).toFixed(3) + ")";
    });
    probe.remove();
  }

  /* "$accent" anywhere in a figure is the theme's colour. */
  function coloured(value) {
    if (typeof value === "string") {
      if (value.charAt(0) !== "$") return value;
      var parts = value.split("/");
      var colour = palette[parts[0]] || value;
      return parts[1] ? colour.replace(/rgba?\((\d+),(\d+),(\d+).*/, "rgba($1,$2,$3," + parts[1] + ")") : colour;
    }
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      var out = {};
      Object.keys(value).forEach(function (key) {
        out[key] = coloured(value[key]);
      });
      return out;
    }
    return value;
  }

  function draw(box) {
    var source = document.getElementById(box.getAttribute("data-figure"));
    if (!source) return;
    var figure = coloured(JSON.parse(source.textContent));
    figure.layout.height = Number(box.getAttribute("data-height"));
    Plotly.react(box, figure.data, figure.layout, { displayModeBar: false, responsive: true, locale: "en" });
    if (!box.dataset.linked) {
      box.dataset.linked = "true";
      box.on("plotly_click", function (event) {
        var link = event.points[0] && event.points[0].customdata && event.points[0].customdata.link;
        var anchor = link && document.querySelector('a[data-entity="' + CSS.escape(link) + '"]');
        if (anchor) anchor.click();
      });
    }
  }

  function drawAll(root) {
    var boxes = Array.prototype.slice.call((root || document).querySelectorAll("[data-figure]"));
    if (!boxes.length || !window.Plotly) return;
    readPalette();
    boxes.forEach(function (box) {
      if (box.offsetWidth > 0) draw(box);
    });
  }

  /* Plotly keeps listeners on the window: what leaves the page must be purged. */
  document.addEventListener("htmx:before:swap", function () {
    document.querySelectorAll("[data-figure].js-plotly-plot").forEach(function (box) {
      box.dataset.leaving = "true";
      window.setTimeout(function () {
        if (!box.isConnected) Plotly.purge(box);
      }, 0);
    });
  });
  document.addEventListener("htmx:after:swap", function () {
    drawAll();
  });
  document.addEventListener("spokehub:theme", function () {
    drawAll();
  });
  document.addEventListener("DOMContentLoaded", function () {
    drawAll();
  });
})();
