"""What the graphs of every spoke do alike: splits, logging, gates, clean-up, pending days, features, alerts."""
