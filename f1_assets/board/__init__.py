"""The season board: read-only pages of the warehouse, and the same as JSON. No request changes a thing."""
