"""What warehouses cost: how long they were on (`ledger`), how they were set (`settings`), how they stand (`state`)."""
