"""The synthetic bank: world → people → credit → trade → money → behaviour → marketing → defects."""
