"""Text files: encoding, delimiter, quotes, lines with their true numbers."""
