"""Reading a volume at the places of another grid."""
