"""What `make test` looks at after the banks have been built: products, not units."""
