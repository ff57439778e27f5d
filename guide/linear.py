"""Linear models of scikit-learn: what their parameters mean elsewhere."""
