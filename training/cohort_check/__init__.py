"""Everything that is wrong with a cohort, found before an hour is spent: one file per subject, one stable code per finding."""
