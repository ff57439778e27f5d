"""Normalisation layers, in training and in evaluation."""
