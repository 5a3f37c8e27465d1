"""Scores, reports and pictures of a trained tagger."""
