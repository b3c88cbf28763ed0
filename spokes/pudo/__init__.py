"""The example spoke: how full each pick-up and drop-off point (PUDO) will be today."""
