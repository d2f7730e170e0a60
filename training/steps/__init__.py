"""What the steps of a run do, one file each; loaded when a step is run (`training.commands` says what each takes)."""
