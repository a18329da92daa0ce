"""The control plane on one machine: start workers, watch them, replace them, tell how they are."""
