"""The wire: PostgreSQL protocol, fingerprints, plan cache and the serving loop. Private to the gateway."""
