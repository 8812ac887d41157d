"""The class server: the trainee kit on named seats of one machine, a system user each."""
