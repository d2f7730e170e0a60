"""The report of a run: one self-contained HTML file that a clinician-researcher could put in front of reviewers.

`material` gathers what was found, the modules under `sections` say it, `page` sets it. Nothing is computed here that belongs to
`training.evaluation`; what does not apply is named with its reason, what only the authors can know is marked as missing.
"""
