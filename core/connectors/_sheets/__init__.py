"""What the Sheets connector is made of: its account, its ranges, and what Google may say."""
