"""What people see: results as text for a terminal, as pages, as cards. Nothing here reads or writes a file."""
