"""Who is known to us outside: verifiers, departments' keys, kiosks; and the records the law wants kept."""
