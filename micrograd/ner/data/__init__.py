"""The corpus that ships with the package: train, dev and test, written for it."""
