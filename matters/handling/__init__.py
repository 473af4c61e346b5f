"""Handling of cases by staff: queues, what may be done to a case and by whom, deliveries that need a person."""
