"""When statements run: one writer, order, groups, transactions, cancellation. Below it, the drivers."""
