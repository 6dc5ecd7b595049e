"""Child processes, each under a supervisor that ends it with all that it started."""
