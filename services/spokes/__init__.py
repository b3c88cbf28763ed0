"""The project teams: onboarding, and how each is at a glance."""
