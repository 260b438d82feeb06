"""How much of the evidence that questions about long conversations need is found; ``python -m`` runs it."""
