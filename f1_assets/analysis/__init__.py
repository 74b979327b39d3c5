"""Answer analysts from the warehouse and the lake alone: telemetry of a lap, SQL, exports."""
