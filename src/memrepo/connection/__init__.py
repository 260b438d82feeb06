"""Run statements: queues, groups, transactions and cancellation, and the two engines below."""
