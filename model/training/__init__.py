"""Trains, compares and measures the classifier."""
