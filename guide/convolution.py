"""Convolution and pooling: kernels, padding, order of axes."""
