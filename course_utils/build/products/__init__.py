"""What a build hands out: pages, trainee kit, classroom folder, and the scan of all of it."""
