"""Datasets, for people and programs: what is in one, what is wrong, its synchronizations."""
