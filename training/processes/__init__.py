"""Child processes of a command: those that read and make images, and the threads of their libraries."""
