"""The steps of a run as subcommands, one file each; each reads a folder, writes a folder, and can be run again.

Every module has a docstring with an example (shown by `--help`), `add_arguments(parser)` and `run(options) -> exit status`.
"""
