"""Everything that is not a pattern. No machine learning in here."""
