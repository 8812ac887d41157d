"""Running the bank: targets, tasks, counters, pay."""
