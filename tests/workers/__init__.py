"""Stories of the workers: courier, fan-out, clocks and quarantine on a real store, real drivers, simulated vendors."""
