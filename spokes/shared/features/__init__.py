"""Feature views of the entities DAY and CELL. A row is stamped with the moment from which it is known."""
