"""What every part of the control plane needs: settings, errors, the clock, logging."""
