"""What an export puts into a model package: the graph, its golden case, its card, what its patients were like."""
