"""Read replicas: which ones are in step, who has to wait for them, and what they may be asked (REL-07)."""
