"""One file per report format.  Each is a function of the result alone."""
