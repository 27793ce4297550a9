"""What a licence count costs: the pieces of `capacity.best_licence_count`."""
