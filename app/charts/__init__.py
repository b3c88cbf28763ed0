"""Rows to figures: pure functions, drawn in the browser or laid out as SVG here."""
