"""What analysts ask first, from the warehouse and the lake alone."""
