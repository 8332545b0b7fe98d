"""The proof behind `make verify-containers`: image and compose stack, built and run for real."""
