"""The search: propose, train, record, until the total is reached."""
