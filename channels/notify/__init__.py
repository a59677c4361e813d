"""How staff are told: one module a means."""
