"""How the graphs of all spokes run: lists, courses, one run against the last good one."""
