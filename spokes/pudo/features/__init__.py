"""Feature views of the entity PUDO. A row is stamped with the morning from which it is known.

A forecast for day D is made on the morning of D, 06:00 UTC. A row with UPDATED_AT = D 06:00 is built from
occupancy up to D-1 and from parcels announced up to D, so a point-in-time join as of that morning sees
nothing of the day itself.
"""
