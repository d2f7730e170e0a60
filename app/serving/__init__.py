"""Packages in motion: which ones this process serves, what their names mean, and how one takes the place of another under traffic."""
