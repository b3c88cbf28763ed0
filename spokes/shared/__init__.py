"""The hub's own feature views, which every spoke of an environment may consume."""
