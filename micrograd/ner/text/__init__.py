"""Sentences: files, tokens, tags."""
