/* Draws each figure that the page carries as JSON, and draws it again when the theme, the width or the data changes. */
(function () {
  "use strict";

  var tokens = {
    accent: "--tblr-primary", text: "--tblr-body-color", muted: "--tblr-secondary",
    grid: "--tblr-border-color", surface: "--tblr-bg-surface", good: "--tblr-green", bad: "--tblr-red",
    warn: "--tblr-orange", calm: "--tblr-azure", faint: "--sh-faint",
  };
  var palette = {};

  /* Plotly reads rgb only; the canvas turns any colour the browser knows into it. */
  function rgb(colour) {
    var context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    var p = context.getImageData(0, 0, 1, 1).data;
    return "rgb(" + p[0] + "," + p[1] + "," + p[2] + ")";
  }

  function readPalette() {
    var style = getComputedStyle(document.body);
    Object.keys(tokens).forEach(function (name) {
      palette["$" + name] = rgb(style.getPropertyValue(tokens[name]).trim() || "gray");
    });
  }

  /* "$accent" anywhere in a figure is the theme's colour. */
  function coloured(value) {
    if (typeof value === "string") {
      if (value.charAt(0) !== "$") return value;
      var parts = value.split("/");
      var colour = palette[parts[0]] || value;
      return parts[1] ? colour.replace("rgb(", "rgba(").replace(")", "," + parts[1] + ")") : colour;
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
    Plotly.react(box, figure.data, figure.layout, { displayModeBar: false, responsive: true, locale: "en" });
    box.dataset.drawn = source.textContent.length + ":" + document.documentElement.dataset.bsTheme;
    if (!box.dataset.linked) {
      box.dataset.linked = "true";
      box.on("plotly_click", function (event) {
        var link = event.points[0] && event.points[0].customdata && event.points[0].customdata.link;
        var anchor = link && document.querySelector('a[data-point="' + CSS.escape(link) + '"]');
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
