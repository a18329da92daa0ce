"""Types of the compiled module: it registers operators when imported and has no Python face."""
