"""What a training run is made of beside its network: batches, their augmentation, steps, several processes, and going on after a kill."""
