"""Stand-ins that tests hand in: clocks, ids, carriers, and one fake for each port."""
