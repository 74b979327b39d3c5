"""Read-only views of how far the warehouse is: reports and notifications."""
