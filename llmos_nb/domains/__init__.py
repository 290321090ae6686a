"""Packs of the fields that come with the package. They use public names only, as anybody's pack would."""
