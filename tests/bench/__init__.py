"""Measurements, which no test asserts: run with `make bench`."""
