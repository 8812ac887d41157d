"""Methods of statistics that any scenario may need: trials, panels, survival, models."""
