"""What people are shown: the heatmap on its planes, the overview of what was read."""
