"""Forecasts, what came of them, and alerts."""
