"""The season in a browser: pages, pictures, /metrics and /health, drawn from the warehouse alone."""
